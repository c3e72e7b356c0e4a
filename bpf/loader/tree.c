// SPDX-License-Identifier: MIT
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* What the kernel knows by itself: a file system that somebody serves is not asked. */
#define UNASKED (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

static int push(struct tree_walk *walk, char *path)
{
	if (!path)
		return -ENOMEM;
	if (walk->count < IMMUNE_WATCHES_MAX) {
		walk->paths[walk->count++] = path;
		return 0;
	}
	free(path);
	immune_fail("Cannot watch a tree in full: over %d directories", IMMUNE_WATCHES_MAX);
	return -ENOSPC;
}

int tree_begin(struct tree_walk *walk, const char *root)
{
	struct statx about;

	*walk = (struct tree_walk){ .paths = calloc(IMMUNE_WATCHES_MAX, sizeof(char *)) };
	if (!walk->paths)
		return -ENOMEM;
	if (statx(AT_FDCWD, root, UNASKED, STATX_TYPE, &about) || !S_ISDIR(about.stx_mode))
		return 0;
	walk->device_major = about.stx_dev_major;
	walk->device_minor = about.stx_dev_minor;
	return push(walk, strdup(root));
}

char *tree_next(struct tree_walk *walk)
{
	return walk->count ? walk->paths[--walk->count] : NULL;
}

static bool is_directory(const struct tree_walk *walk, int parent, const struct dirent *entry)
{
	struct statx about;

	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return false;
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return false;
	return !statx(parent, entry->d_name, UNASKED, STATX_TYPE, &about) &&
	       S_ISDIR(about.stx_mode) && about.stx_dev_major == walk->device_major &&
	       about.stx_dev_minor == walk->device_minor;
}

/* Opening a directory raises no permission event: no mark asks for directories. */
int tree_add_children(struct tree_walk *walk, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error = 0;

	if (!directory) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		if (error == -ENOENT)
			return 0;
		immune_fail("Cannot watch what is below \"%s\": %s", path, strerror(-error));
		return error;
	}
	/* Bounded by push(): at most IMMUNE_WATCHES_MAX wait at a time. */
	while (!error && (entry = readdir(directory))) {
		char *child;

		if (!is_directory(walk, fd, entry))
			continue;
		if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "", entry->d_name) < 0)
			child = NULL;
		error = push(walk, child);
	}
	closedir(directory);
	return error;
}

void tree_end(struct tree_walk *walk)
{
	while (walk->count)
		free(walk->paths[--walk->count]);
	free(walk->paths);
}
