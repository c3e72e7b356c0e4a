// SPDX-License-Identifier: MIT
#include "capability_act.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "immune_record.h"
#include "watch.h"

/* Port of the discard service (RFC 863): a datagram socket that connects to it sends nothing. */
#define DISCARD_PORT 9
/* Group that the identity act takes in a child: nogroup of most systems. */
#define OTHER_GROUP 65534

/* The file of the watch act; empty when there is none. One self-test at a time uses it a thread. */
static __thread char watched[64];

/* Programs that do nothing, one of which every host has. */
static const char *const idle_programs[] = { "/bin/true", "/usr/bin/true", "/bin/sh" };

/* The test act is known by its argument, as pids differ between pid namespaces. */
static const char exec_mark[] = "immune-self-test";

int act_reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int act_exec_perform(void)
{
	char *environment[] = { NULL };
	int error = ENOENT;

	for (size_t i = 0; i < sizeof(idle_programs) / sizeof(idle_programs[0]); i++) {
		char *program = (char *)idle_programs[i];
		char *arguments[] = { program, "-c", ":", (char *)exec_mark, NULL };
		pid_t child;

		error = posix_spawn(&child, program, NULL, NULL, arguments, environment);
		if (!error)
			return act_reap(child);
	}
	return -error;
}

static bool exec_seen(const uint8_t *record, const struct immune_record_header *header)
{
	return header->kind == IMMUNE_KIND_EXEC &&
	       memmem(record, header->length, exec_mark, sizeof(exec_mark));
}

static bool snapshot_seen(const uint8_t *record, const struct immune_record_header *header)
{
	(void)record;
	return header->kind == IMMUNE_KIND_PROCESS;
}

static int connect_perform(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(DISCARD_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = -errno;
	close(fd);
	return error;
}

static bool connect_seen(const uint8_t *record, const struct immune_record_header *header)
{
	struct immune_connect_body body;

	if (header->kind != IMMUNE_KIND_CONNECT)
		return false;
	memcpy(&body, record + header->header_length, sizeof(body));
	return body.port == DISCARD_PORT && body.socket_type == SOCK_DGRAM;
}

static int open_perform(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool open_seen(const uint8_t *record, const struct immune_record_header *header)
{
	(void)record;
	return header->kind == IMMUNE_KIND_OPEN && header->source < IMMUNE_SOURCE_WATCH;
}

/* A child changes a group id of its own and ends. It only makes system calls: other threads of
 * this process may hold any lock. */
static int identity_perform(void)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		syscall(SYS_setresgid, -1, OTHER_GROUP, -1);
		_exit(0);
	}
	return act_reap(child);
}

static bool identity_seen(const uint8_t *record, const struct immune_record_header *header)
{
	(void)record;
	return header->kind == IMMUNE_KIND_IDENTITY && header->gid == OTHER_GROUP;
}

int act_watch_prepare(struct watch *watch)
{
	struct {
		struct immune_policy_watch head;
		char path[sizeof(watched)];
	} entry = { .head = { .type = IMMUNE_WATCH_FILE,
			      .wants = IMMUNE_WATCH_OPENS | IMMUNE_WATCH_CHANGES } };
	int fd, failed;

	strcpy(watched, "/tmp/immune-self-test-XXXXXX");
	fd = mkostemp(watched, O_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		immune_fail("Cannot make a file to watch in \"/tmp\": %s", strerror(-fd));
		watched[0] = 0;
		return fd;
	}
	close(fd);
	entry.head.length = (uint16_t)strlen(watched);
	memcpy(entry.path, watched, strlen(watched));
	failed = watch_apply(watch, (const uint8_t *)&entry, 1);
	return failed > 0 ? -EPERM : failed;
}

const char *act_watched(void)
{
	return watched;
}

void act_watch_forget(void)
{
	if (watched[0])
		unlink(watched);
	watched[0] = 0;
}

/* Our own opens are not reported, so a child opens. It holds no copy of the watch: if this process
 * ended now, nobody could answer the child otherwise. */
static int watch_perform(void)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		syscall(SYS_close_range, 3, ~0u, 0);
		syscall(SYS_openat, AT_FDCWD, watched, O_RDONLY);
		_exit(0);
	}
	return act_reap(child);
}

static bool watch_seen(const uint8_t *record, const struct immune_record_header *header)
{
	return header->kind == IMMUNE_KIND_OPEN && header->source == IMMUNE_SOURCE_WATCH &&
	       memmem(record, header->length, watched, strlen(watched));
}

const struct act act_exec = { act_exec_perform, exec_seen };
const struct act act_snapshot = { NULL, snapshot_seen };
const struct act act_connect = { connect_perform, connect_seen };
const struct act act_watch = { watch_perform, watch_seen };
const struct act act_identity = { identity_perform, identity_seen };
const struct act act_open = { open_perform, open_seen };
