// SPDX-License-Identifier: MIT
/*
 * Of a file both it and its directory are marked: a mark on the directory misses hard links, one on
 * the file misses what replaces it.
 */
#include "enforce_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
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

static const char served_reason[] = "a program serves its file system (FUSE)";

/* Places that nobody is asked about, though a policy has them. */
struct left_out {
	int count;
	/* Of the first one. */
	char path[256];
	const char *reason;
};

static void leave_out(struct left_out *left, const char *path, const char *reason)
{
	if (left->count++)
		return;
	snprintf(left->path, sizeof(left->path), "%.255s", path);
	left->reason = reason;
}

/* What one place may be like by the will of whoever may write there; none ends a policy. */
static int pass_over(struct left_out *left, const char *path, int error)
{
	if (error != -ENAMETOOLONG && error != -ENOTDIR && error != -ELOOP && error != -EACCES)
		return error;
	leave_out(left, path, strerror(-error));
	return 0;
}

static int mark_one(int group, unsigned int how, uint64_t mask, const char *path)
{
	if (!fanotify_mark(group, FAN_MARK_ADD | how, mask, AT_FDCWD, path))
		return 0;
	/* Not there yet, or not there any more. */
	return errno == ENOENT ? 0 : -errno;
}

static int mark_file(int group, uint64_t mask, const char *path)
{
	char directory[256];
	char *slash;
	int error = mark_one(group, 0, mask, path);

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	slash[slash == directory] = 0;
	if (!error)
		error = mark_one(group, 0, mask | FAN_EVENT_ON_CHILD, directory);
	/* A directory of the path is a file: the one that is meant is not there yet. */
	return error == -ENOTDIR ? 0 : error;
}

static int mark_tree(int group, uint64_t mask, const char *path, struct left_out *left)
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
		error = pass_over(left, directory, error);
		free(directory);
	}
	tree_end(&walk);
	/* More than may wait lie in one directory. */
	return error == -ENOSPC ? -E2BIG : error;
}

/* Those that cannot be marked are no places to run programs from: procfs, sysfs and the like. */
static int mark_everywhere(int group, uint64_t mask, struct left_out *left)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	int marked = 0, count = 0;

	if (!mounts)
		return -errno;
	while ((mount = getmntent(mounts)) && ++count <= MOUNTS_MAX) {
		/* A program that is asked for each right, or for the way there, may never answer. */
		if (served_parent(mount->mnt_dir) ||
		    (hasmntopt(mount, "default_permissions") && served_path(mount->mnt_dir))) {
			leave_out(left, mount->mnt_dir, served_reason);
			continue;
		}
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

static int mark_place(int group, const struct immune_enforce_mark *mark, struct left_out *left)
{
	uint64_t mask = (mark->events & IMMUNE_EVENT_EXEC ? FAN_OPEN_EXEC_PERM : 0) |
			(mark->events & IMMUNE_EVENT_OPEN ? FAN_OPEN_PERM : 0);

	if (mark->path[0] != '/' || !mask)
		return -EINVAL;
	if (mark->place == IMMUNE_PLACE_EVERYWHERE)
		return mark_everywhere(group, mask, left);
	if (mark->place == IMMUNE_PLACE_OPENED)
		return mark_one(group, 0, mask, mark->path);
	/* Its answer and ours could wait for each other. */
	if (served_path(mark->path)) {
		leave_out(left, mark->path, served_reason);
		return 0;
	}
	if (mark->place == IMMUNE_PLACE_FILE)
		return pass_over(left, mark->path, mark_file(group, mask, mark->path));
	return mark->place == IMMUNE_PLACE_TREE ? mark_tree(group, mask, mark->path, left)
						: -EINVAL;
}

static void tell(const struct left_out *left)
{
	if (left->count == 1)
		immune_fail("\"%s\" is not asked about by fanotify: %s", left->path, left->reason);
	else if (left->count)
		immune_fail("%d places are not asked about by fanotify, the first \"%s\": %s",
			    left->count, left->path, left->reason);
}

/* One that cannot be marked keeps no other from being marked. */
int enforce_marks_set(int group, const uint8_t *marks, uint32_t count)
{
	struct immune_enforce_mark failed;
	struct left_out left = { 0 };
	int first = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct immune_enforce_mark mark;
		bool ends;
		int error;

		memcpy(&mark, marks + i * sizeof(mark), sizeof(mark));
		ends = !mark.path[sizeof(mark.path) - 1];
		mark.path[sizeof(mark.path) - 1] = 0;
		error = ends ? mark_place(group, &mark, &left) : -EINVAL;
		if (!error || first)
			continue;
		first = error;
		failed = mark;
	}
	if (first)
		fail(&failed, first);
	else
		tell(&left);
	return first ? first : left.count;
}
