// SPDX-License-Identifier: MIT
/*
 * Of a file both it and its directory are marked: a mark on the directory misses hard links, one on
 * the file misses what replaces it.
 */
#include "enforce_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>

#include "internal.h"
#include "served.h"
#include "tree.h"

/* Directories of a tree, and file systems, that are marked. */
#define DIRECTORIES_MAX 4096
#define MOUNTS_MAX 4096

static int mark_one(int group, unsigned int how, uint64_t mask, const char *path)
{
	if (!fanotify_mark(group, FAN_MARK_ADD | how, mask, AT_FDCWD, path))
		return 0;
	/* Not there yet, or not there any more. */
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

static int mark_file(int group, uint64_t mask, const char *path)
{
	char directory[256];
	char *slash;
	int error = mark_one(group, 0, mask, path);

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	slash[slash == directory] = 0;
	return error ? error : mark_one(group, 0, mask | FAN_EVENT_ON_CHILD, directory);
}

static int mark_tree(int group, uint64_t mask, const char *path)
{
	struct tree_walk walk;
	int error = tree_begin(&walk, path), count = 0;
	char *directory;

	while (!error && (directory = tree_next(&walk))) {
		error = ++count > DIRECTORIES_MAX
				? -E2BIG
				: mark_one(group, 0, mask | FAN_EVENT_ON_CHILD, directory);
		if (!error)
			error = tree_add_children(&walk, directory);
		free(directory);
	}
	tree_end(&walk);
	/* More than may wait lie in one directory. */
	return error == -ENOSPC ? -E2BIG : error;
}

/* Those that cannot be marked are no places to run programs from: procfs, sysfs and the like. */
static int mark_everywhere(int group, uint64_t mask)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	int marked = 0, count = 0;

	if (!mounts)
		return -errno;
	while ((mount = getmntent(mounts)) && ++count <= MOUNTS_MAX) {
		/* A program that is asked for each right, or for the way there, may never answer. */
		if (served_parent(mount->mnt_dir) ||
		    (hasmntopt(mount, "default_permissions") && served_path(mount->mnt_dir)))
			continue;
		marked += !fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD,
					 mount->mnt_dir);
	}
	endmntent(mounts);
	if (count > MOUNTS_MAX)
		return -E2BIG;
	return marked ? 0 : -ENOTSUP;
}

static void fail(const struct immune_enforce_mark *mark, int error)
{
	if (error != -E2BIG)
		immune_fail("Cannot mark \"%s\" for refusals by fanotify: %s", mark->path,
			    strerror(-error));
	else if (mark->place == IMMUNE_PLACE_TREE)
		immune_fail("Cannot mark \"%s\" for refusals by fanotify: it has over %d "
			    "directories, name smaller trees below it", mark->path,
			    DIRECTORIES_MAX);
	else
		immune_fail("Cannot mark all that is mounted for refusals by fanotify: over %d "
			    "file systems, unmount some, or name programs by path", MOUNTS_MAX);
}

/* What a program serves is not asked about: its answer and ours could wait for each other. */
static int skip(const struct immune_enforce_mark *mark, int *served)
{
	++*served;
	immune_fail("\"%s\" is not asked about by fanotify: a program serves its file system (FUSE)",
		    mark->path);
	return 0;
}

int enforce_marks_set(int group, const uint8_t *marks, uint32_t count)
{
	int error = 0, served = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		struct immune_enforce_mark mark;
		uint64_t mask;

		memcpy(&mark, marks + i * sizeof(mark), sizeof(mark));
		mask = (mark.events & IMMUNE_EVENT_EXEC ? FAN_OPEN_EXEC_PERM : 0) |
		       (mark.events & IMMUNE_EVENT_OPEN ? FAN_OPEN_PERM : 0);
		error = -EINVAL;
		if (mark.path[0] != '/' || mark.path[sizeof(mark.path) - 1] || !mask)
			;
		else if (mark.place != IMMUNE_PLACE_EVERYWHERE && served_path(mark.path))
			error = skip(&mark, &served);
		else if (mark.place == IMMUNE_PLACE_FILE)
			error = mark_file(group, mask, mark.path);
		else if (mark.place == IMMUNE_PLACE_TREE)
			error = mark_tree(group, mask, mark.path);
		else if (mark.place == IMMUNE_PLACE_EVERYWHERE)
			error = mark_everywhere(group, mask);
		mark.path[sizeof(mark.path) - 1] = 0;
		if (error)
			fail(&mark, error);
	}
	return error ? error : served;
}
