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

#include "mount_line.h"
#include "sensor.h"

static int find(char *path, size_t capacity)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	int error = -ENOENT;

	if (!mounts)
		return -errno;
	while (error && getline(&line, &room, mounts) > 0) {
		struct mount_line mount;

		if (mount_line_parse(line, &mount) && !strcmp(mount.type, "cgroup2") &&
		    !strcmp(mount.root, "/") && strlen(mount.point) < capacity) {
			strcpy(path, mount.point);
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
