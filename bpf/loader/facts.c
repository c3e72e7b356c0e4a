// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "immune_sensor.h"
#include "internal.h"

/* The only places that facts are read from. */
static const char *const ROOTS[] = {
	"/proc",
	"/sys/fs/cgroup",
	"/sys/kernel/security",
	"/sys/kernel/btf",
};

/* The root that path lies below, and in rest the part after it. */
static const char *root_of(const char *path, const char **rest)
{
	for (size_t i = 0; i < sizeof(ROOTS) / sizeof(ROOTS[0]); i++) {
		size_t length = strlen(ROOTS[i]);

		if (!strncmp(path, ROOTS[i], length) && path[length] == '/' && path[length + 1]) {
			*rest = path + length + 1;
			return ROOTS[i];
		}
	}
	return NULL;
}

static bool climbs(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && !memcmp(path, "..", 2))
			return true;
		path += length + (path[length] == '/');
	}
	return false;
}

/* Stays below root: a link out of it, or one such as /proc/PID/root, is not followed. */
static int open_below(int root, const char *rest, int flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return syscall(SYS_openat2, root, rest, &how, sizeof(how));
}

static int64_t read_link(int root, const char *rest, uint8_t *buffer, uint32_t capacity)
{
	int fd = open_below(root, rest, O_PATH);
	int64_t length;

	if (fd < 0)
		return -errno;
	length = readlinkat(fd, "", (char *)buffer, capacity);
	if (length < 0)
		/* What it says of a file that is no link: the link led out of the root. */
		length = errno == ENOENT || errno == EINVAL ? -EPERM : -errno;
	close(fd);
	return length;
}

static int64_t read_file(int fd, uint8_t *buffer, uint32_t capacity)
{
	uint32_t used = 0;

	/* Bounded by capacity; files of /proc come in pieces. */
	while (used < capacity) {
		ssize_t length = read(fd, buffer + used, capacity - used);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return used ? (int64_t)used : -errno;
		if (!length)
			break;
		used += length;
	}
	return used;
}

static int64_t read_below(const char *root_path, const char *rest, uint8_t *buffer,
			  uint32_t capacity)
{
	int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t length;
	int fd;

	if (root < 0)
		return -errno;
	fd = open_below(root, rest, O_RDONLY | O_NONBLOCK);
	if (fd >= 0) {
		length = read_file(fd, buffer, capacity);
		close(fd);
	} else if (errno == ELOOP) {
		length = read_link(root, rest, buffer, capacity);
	} else {
		length = errno == EXDEV ? -EPERM : -errno;
	}
	close(root);
	return length;
}

IMMUNE_EXPORT int64_t immune_read(const char *path, uint8_t *buffer, uint32_t capacity)
{
	const char *rest = NULL, *root;
	int64_t length;

	if (!path || !buffer || !capacity) {
		immune_fail("Cannot read a fact: no path, or no room for it");
		return -EINVAL;
	}
	root = root_of(path, &rest);
	if (!root || climbs(rest)) {
		immune_fail("Cannot read \"%s\": only files below /proc, /sys/fs/cgroup, "
			    "/sys/kernel/security and /sys/kernel/btf are facts", path);
		return -EPERM;
	}
	length = read_below(root, rest, buffer, capacity);
	if (length < 0)
		immune_fail("Cannot read \"%s\": %s", path, strerror(-length));
	return length;
}

IMMUNE_EXPORT int64_t immune_boot_time_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now)) {
		immune_fail("Cannot read the boot clock: %s", strerror(errno));
		return -errno;
	}
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
