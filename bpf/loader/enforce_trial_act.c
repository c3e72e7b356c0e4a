// SPDX-License-Identifier: MIT
#include "enforce_trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "immune_record.h"

/* Port of the discard service (RFC 863): a datagram socket that connects to it sends nothing. */
#define DISCARD_PORT 9
/* Bytes of the program that is copied. */
#define PROGRAM_BYTES_MAX (4u << 20)

/* Programs that do nothing, one of which every host has. */
static const char *const idle_programs[] = { "/bin/true", "/usr/bin/true", "/bin/sh" };
/* Where a file may be made that can run; the first that takes it. */
static const char *const folders[] = { "/tmp", "/run", "/var/tmp", "/dev/shm" };

static int copy_program(int to)
{
	int error = -ENOENT;

	for (size_t i = 0; i < sizeof(idle_programs) / sizeof(idle_programs[0]); i++) {
		int from = open(idle_programs[i], O_RDONLY | O_CLOEXEC);
		ssize_t length = 0;

		if (from < 0)
			continue;
		for (uint32_t total = 0; total < PROGRAM_BYTES_MAX; total += (uint32_t)length) {
			char buffer[4096];

			length = read(from, buffer, sizeof(buffer));
			if (length <= 0 || write(to, buffer, (size_t)length) != length)
				break;
		}
		error = length < 0 ? -errno : 0;
		close(from);
		if (!error)
			return 0;
	}
	return error;
}

/* A program that was open for writing cannot run: it is opened anew. */
static int reopen(struct trial_target *target, int writing)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", writing);
	target->fd = open(path, O_RDONLY | O_CLOEXEC);
	close(writing);
	return target->fd < 0 ? -errno : 0;
}

static int make_file(struct trial_target *target)
{
	int fd = -1;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && fd < 0; i++) {
		snprintf(target->path, sizeof(target->path), "%s/immune-self-test-XXXXXX",
			 folders[i]);
		fd = mkostemp(target->path, O_CLOEXEC);
	}
	if (fd < 0) {
		target->path[0] = 0;
		return -errno;
	}
	fchmod(fd, 0700);
	return fd;
}

/* fanotify has a file as stat(2) does, the other tiers as the kernel does. */
static int identify(struct trial_target *target, uint32_t tier)
{
	struct stat about;

	if (tier != IMMUNE_TIER_FANOTIFY)
		return file_identity(target->fd, &target->file) ? 0 : -ENOTSUP;
	if (fstat(target->fd, &about))
		return -errno;
	target->file.device = (uint32_t)(major(about.st_dev) << 20 | minor(about.st_dev));
	target->file.inode = about.st_ino;
	return 0;
}

int trial_prepare(struct trial_target *target, const struct trial *trial)
{
	int error = 0, fd;

	memset(target, 0, sizeof(*target));
	target->fd = -1;
	target->address[0] = 127;
	target->address[1] = 254;
	target->address[2] = (uint8_t)(getpid() >> 8);
	target->address[3] = (uint8_t)getpid();
	if (trial->action == IMMUNE_ACTION_CONNECT)
		return 0;
	fd = trial->needs_file ? make_file(target) : memfd_create("immune-self-test", MFD_CLOEXEC);
	if (fd < 0)
		error = trial->needs_file ? fd : -errno;
	if (!error) {
		error = copy_program(fd);
		if (error)
			close(fd);
	}
	if (!error)
		error = reopen(target, fd);
	if (!error)
		error = identify(target, trial->tier);
	if (error)
		immune_fail("Cannot make a file for the self-test: %s", strerror(-error));
	return error;
}

/* The child only makes system calls: other threads of this process may hold any lock. */
static int act_exec(const struct trial_target *target)
{
	char *arguments[] = { "immune-self-test", "-c", ":", NULL };
	char *environment[] = { NULL };

	if (target->path[0])
		syscall(SYS_execve, target->path, arguments, environment);
	else
		syscall(SYS_execveat, target->fd, "", arguments, environment, AT_EMPTY_PATH);
	return errno;
}

static int act_open(const struct trial_target *target)
{
	return syscall(SYS_openat, AT_FDCWD, target->path, O_RDONLY) < 0 ? errno : 0;
}

static int act_connect(const struct trial_target *target)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(DISCARD_PORT) };
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);

	memcpy(&address.sin_addr, target->address, sizeof(target->address));
	if (fd < 0)
		return errno;
	return syscall(SYS_connect, fd, &address, sizeof(address)) ? errno : 0;
}

int trial_act(const struct trial_target *target, uint16_t action, int *status)
{
	pid_t child = fork();

	if (child < 0) {
		immune_fail("Cannot start the self-test's process: %s", strerror(errno));
		return -errno;
	}
	if (!child) {
		/* It holds no copy of the fanotify group: if this process ended now, nobody could
		 * answer the child otherwise. */
		if (target->fd < 0 || target->path[0])
			syscall(SYS_close_range, 3, ~0u, 0);
		_exit(action == IMMUNE_ACTION_EXEC  ? act_exec(target)
		      : action == IMMUNE_ACTION_OPEN ? act_open(target)
						     : act_connect(target));
	}
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

void trial_forget(struct trial_target *target)
{
	if (target->fd >= 0)
		close(target->fd);
	if (target->path[0])
		unlink(target->path);
}
