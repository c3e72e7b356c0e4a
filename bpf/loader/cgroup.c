// SPDX-License-Identifier: MIT
/* Finds the cgroup v2 root, which is not in the same place on every host. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "sensor.h"

/* Turns the octal escapes of /proc/self/mountinfo (proc(5)) back into bytes, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
}

/* Mount point of a line that mounts a whole cgroup2, else NULL. Changes the line. */
static char *line_mount(char *line)
{
	char *type = strstr(line, " - ");
	char *field = line;

	if (!type || strncmp(type + 3, "cgroup2 ", 8))
		return NULL;
	/* Fields: id, parent, device, root, mount point. */
	for (int i = 0; i < 3 && field; i++)
		field = strchr(field + 1, ' ');
	if (!field || strncmp(field, " / ", 3))
		return NULL;
	field += 3;
	field[strcspn(field, " ")] = 0;
	unescape(field);
	return field;
}

static int find(char *path, size_t capacity)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	int error = -ENOENT;

	if (!mounts)
		return -errno;
	while (error && getline(&line, &room, mounts) > 0) {
		const char *mount = line_mount(line);

		if (mount && strlen(mount) < capacity) {
			strcpy(path, mount);
			error = 0;
		}
	}
	free(line);
	fclose(mounts);
	return error;
}

int cgroup_open(const char *path)
{
	char found[PATH_MAX];
	struct statfs system;
	int fd, error;

	if (!path || !path[0]) {
		error = find(found, sizeof(found));
		if (error) {
			immune_fail("Cannot see connections: no cgroup v2 root is mounted, mount "
				    "one or name it with the option \"cgroup_path\"");
			return error;
		}
		path = found;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		error = -errno;
		immune_fail("Cannot open the cgroup v2 root \"%s\": %s", path, strerror(-error));
		return error;
	}
	if (fstatfs(fd, &system) || system.f_type != CGROUP2_SUPER_MAGIC) {
		close(fd);
		immune_fail("Cannot see connections: \"%s\" is no cgroup v2 root", path);
		return -EINVAL;
	}
	return fd;
}
