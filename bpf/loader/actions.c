// SPDX-License-Identifier: MIT
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"
#include "immune_sensor.h"
#include "internal.h"

/* /proc/PID/stat is one line of 52 numbers and a name of at most 64 bytes. */
#define STAT_BYTES 2048
/* /proc/PID/status up to the lines of its users, which stand at its start. */
#define STATUS_BYTES 1024
/* Fields of /proc/PID/stat after the name up to the start time (proc_pid_stat(5), field 22). */
#define FIELDS_BEFORE_START 19

static const char DELETED[] = " (deleted)";

int64_t process_start_ticks(uint32_t pid)
{
	char text[STAT_BYTES], path[32];
	const char *at;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return -ESRCH;
	text[length] = 0;
	/* The name may hold anything, parentheses too: the last one ends it. */
	at = strrchr(text, ')');
	for (int i = 0; at && i <= FIELDS_BEFORE_START; i++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return at ? strtoll(at, NULL, 10) : -EPROTO;
}

int process_users(uint32_t tid, struct process_users *users)
{
	char text[STATUS_BYTES], path[32];
	char *at;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return -ESRCH;
	text[length] = 0;
	/* The name stands before it, its newlines escaped by the kernel. */
	at = strstr(text, "\nUid:");
	if (!at)
		return -EPROTO;
	users->real = strtoul(at + strlen("\nUid:"), &at, 10);
	users->effective = strtoul(at, NULL, 10);
	return 0;
}

static int check_start(struct immune_sensor *sensor, uint32_t pid, uint64_t start_time_ns)
{
	int64_t ticks = process_start_ticks(pid);
	uint64_t tick_ns = 1000000000ull / sysconf(_SC_CLK_TCK);
	struct immune_process process;

	if (ticks < 0)
		return ticks == -ENOENT ? -ESRCH : (int)ticks;
	if ((uint64_t)ticks != start_time_ns / tick_ns)
		return -ESTALE;
	/* Where the kernel's own table knows the process, nanoseconds must agree as well. */
	if (sensor && !bpf_map_lookup_elem(sensor_processes_fd(sensor), &pid, &process) &&
	    process.start_time_ns != start_time_ns)
		return -ESTALE;
	return 0;
}

static int check_image(uint32_t pid, const char *image)
{
	char target[PATH_MAX + sizeof(DELETED)], path[32];
	size_t suffix = sizeof(DELETED) - 1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	target[length] = 0;
	if (!strcmp(target, image))
		return 0;
	if ((size_t)length > suffix && !strcmp(target + length - suffix, DELETED))
		target[length - suffix] = 0;
	return strcmp(target, image) ? -ESTALE : 0;
}

static const char *reason(int error)
{
	if (error == -ESTALE)
		return "another process or program has that number now";
	if (error == -ESRCH)
		return "it is not there";
	return strerror(-error);
}

/*
 * The pidfd is taken first. If the process it stands for is still there when the signal is sent
 * through it, what /proc said in between was said of that very process.
 */
IMMUNE_EXPORT int64_t immune_process_signal(struct immune_sensor *sensor, uint32_t pid,
					    uint64_t start_time_ns, const char *image,
					    int32_t signal)
{
	int error, pidfd = -1;

	error = -EINVAL;
	if (signal < 0 || signal >= NSIG || !pid || pid > INT_MAX)
		goto fail;
	error = -EPERM;
	if (pid == 1 || pid == (uint32_t)getpid())
		goto fail;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		/* EINVAL and ENOENT: a thread that leads no process. */
		error = errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
		goto fail;
	}
	error = check_start(sensor, pid, start_time_ns);
	if (!error && image)
		error = check_image(pid, image);
	if (!error && syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0))
		error = -errno;
	close(pidfd);
	if (!error)
		return 0;
fail:
	immune_fail("Cannot signal process %u: %s", pid, reason(error));
	return error;
}
