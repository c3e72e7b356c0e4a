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

/* A directory that was found in another one. */
struct child {
	char *name;
	int64_t seconds; /* when it was made; 0 where the file system does not say */
	uint32_t nanoseconds;
};

struct children {
	struct child *all;
	uint32_t count, capacity;
};

static int push(struct tree_walk *walk, char *path)
{
	if (!path)
		return -ENOMEM;
	walk->paths[walk->count++] = path;
	return 0;
}

int tree_begin(struct tree_walk *walk, const char *root)
{
	struct statx about;

	*walk = (struct tree_walk){ .paths = calloc(TREE_DIRECTORIES_MAX, sizeof(char *)) };
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
	return walk->next < walk->count ? walk->paths[walk->next++] : NULL;
}

/* Whether it is one of the same file system; then it says when that was made. */
static bool is_directory(const struct tree_walk *walk, int parent, const struct dirent *entry,
			 struct child *child)
{
	struct statx about = { 0 };

	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return false;
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return false;
	if (statx(parent, entry->d_name, UNASKED, STATX_TYPE | STATX_BTIME, &about))
		return false;
	if (about.stx_mask & STATX_BTIME) {
		child->seconds = about.stx_btime.tv_sec;
		child->nanoseconds = about.stx_btime.tv_nsec;
	}
	return S_ISDIR(about.stx_mode) && about.stx_dev_major == walk->device_major &&
	       about.stx_dev_minor == walk->device_minor;
}

static int keep(struct children *children, struct child child, const char *name)
{
	if (children->count == children->capacity) {
		uint32_t capacity = children->capacity ? 2 * children->capacity : 64;
		struct child *all = realloc(children->all, capacity * sizeof(*all));

		if (!all)
			return -ENOMEM;
		children->all = all;
		children->capacity = capacity;
	}
	child.name = strdup(name);
	if (!child.name)
		return -ENOMEM;
	children->all[children->count++] = child;
	return 0;
}

static int by_age(const void *left, const void *right)
{
	const struct child *a = left, *b = right;

	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return (a->nanoseconds > b->nanoseconds) - (a->nanoseconds < b->nanoseconds);
}

static int children_read(struct tree_walk *walk, DIR *directory, struct children *children)
{
	struct dirent *entry;
	int error = 0;

	/* Bounded by the children that are kept. */
	while (!error && (entry = readdir(directory))) {
		struct child child = { 0 };

		if (!is_directory(walk, dirfd(directory), entry, &child))
			continue;
		if (children->count == TREE_CHILDREN_MAX) {
			walk->left++;
			break;
		}
		error = keep(children, child, entry->d_name);
	}
	return error;
}

static int children_push(struct tree_walk *walk, const struct children *children, const char *path)
{
	int error = 0;

	for (uint32_t i = 0; i < children->count && !error; i++) {
		char *child;

		if (walk->count == TREE_DIRECTORIES_MAX) {
			walk->left += children->count - i;
			break;
		}
		if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "",
			     children->all[i].name) < 0)
			child = NULL;
		error = push(walk, child);
	}
	return error;
}

/* Opening a directory raises no permission event: no mark asks for directories. */
int tree_add_children(struct tree_walk *walk, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct children children = { 0 };
	int error;

	if (!directory) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		if (error == -ENOENT)
			return 0;
		immune_fail("Cannot watch what is below \"%s\": %s", path, strerror(-error));
		return error;
	}
	error = children_read(walk, directory, &children);
	closedir(directory);
	if (children.count)
		qsort(children.all, children.count, sizeof(*children.all), by_age);
	if (!error)
		error = children_push(walk, &children, path);
	while (children.count)
		free(children.all[--children.count].name);
	free(children.all);
	return error;
}

void tree_end(struct tree_walk *walk)
{
	while (walk->next < walk->count)
		free(walk->paths[walk->next++]);
	free(walk->paths);
}
