// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "watch_handle.h"
#include "watch_tree.h"

/* Directories found and not yet marked. */
struct pending {
	char **paths;
	uint32_t count;
};

static int push(struct pending *pending, char *path)
{
	if (!path)
		return -ENOMEM;
	if (pending->count < IMMUNE_WATCHES_MAX) {
		pending->paths[pending->count++] = path;
		return 0;
	}
	free(path);
	immune_fail("Cannot watch a tree in full: over %d directories", IMMUNE_WATCHES_MAX);
	return -ENOSPC;
}

static bool is_directory(int parent, const struct dirent *entry, dev_t device)
{
	struct stat about;

	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return false;
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return false;
	return !fstatat(parent, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(about.st_mode) && about.st_dev == device;
}

/* Opening a directory raises no permission event: no mark asks for directories. */
static int push_children(struct pending *pending, const char *path, dev_t device)
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

		if (!is_directory(fd, entry, device))
			continue;
		if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "", entry->d_name) < 0)
			child = NULL;
		error = push(pending, child);
	}
	closedir(directory);
	return error;
}

/* Marked before it is read: a directory made meanwhile is either read or reported. */
static int mark_one(const struct watch_groups *groups, struct watch_set *set, uint32_t owner,
		    char *path)
{
	struct watch_directory directory = {
		.path = path,
		.owner = owner,
		.stamp = set->entries[owner].stamp,
		.handle = watch_handle_path(path),
		.whole = true,
		.tree = true,
	};
	int error = watch_set_directory(set, &directory);

	if (error) {
		immune_fail("Cannot watch \"%s\": over %d directories", path, IMMUNE_WATCHES_MAX);
		return error;
	}
	error = watch_mark_directory(groups, path);
	return error ? error : watch_mark_names(groups, path);
}

int watch_tree(const struct watch_groups *groups, struct watch_set *set, uint32_t owner,
	       const char *root)
{
	struct pending pending = { .paths = calloc(IMMUNE_WATCHES_MAX, sizeof(char *)) };
	struct stat about;
	int first = 0;

	if (!pending.paths)
		return -ENOMEM;
	if (lstat(root, &about) || !S_ISDIR(about.st_mode)) {
		free(pending.paths);
		return 0;
	}
	first = push(&pending, strdup(root));
	/* Bounded: a directory that is not taken into the set is not read. */
	while (pending.count) {
		char *path = pending.paths[--pending.count];
		int error = mark_one(groups, set, owner, path);

		if (error == -ENOENT)
			watch_set_drop(set, path);
		else if (!error)
			error = push_children(&pending, path, about.st_dev);
		if (error && error != -ENOENT && !first)
			first = error;
		free(path);
	}
	free(pending.paths);
	return first;
}

int watch_grow(const struct watch_groups *groups, struct watch_set *set, uint32_t owner,
	       const char *path)
{
	struct stat root, found;

	if (lstat(path, &found) || !S_ISDIR(found.st_mode))
		return 0;
	if (stat(set->entries[owner].path, &root) || root.st_dev != found.st_dev)
		return 0;
	return watch_tree(groups, set, owner, path);
}
