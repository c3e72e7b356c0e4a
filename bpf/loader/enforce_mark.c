// SPDX-License-Identifier: MIT
/*
 * Of a file both it and its directory are marked: a mark on the directory misses hard links, one on
 * the file misses what replaces it.
 */
#include "enforce_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "enforce_elsewhere.h"
#include "internal.h"
#include "mount_line.h"
#include "served.h"
#include "tree.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* Lines of mounts that are read. */
#define MOUNTS_MAX 4096

static const char served_reason[] = "a program serves its file system (FUSE)";

/*
 * What one place is like is the will of whoever may write there, and ends no policy. What this
 * process lacks does: then the one before stays.
 */
static int pass_over(struct enforce_left *left, const char *path, int error)
{
	if (!error || error == -ENOMEM || error == -ENOSPC || error == -EMFILE)
		return error;
	enforce_left_add(left, IMMUNE_LEFT_PLACE, 1, path, strerror(-error));
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
	int file = mark_one(group, 0, mask, path), above;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	slash[slash == directory] = 0;
	above = mark_one(group, 0, mask | FAN_EVENT_ON_CHILD, directory);
	/* A directory of the path is a file: the one that is meant is not there yet. */
	if (file == -ENOTDIR || (!file && above == -ENOTDIR))
		return 0;
	return file ? file : above;
}

static int mark_tree(int group, uint64_t mask, const char *path, struct enforce_left *left)
{
	struct tree_walk walk;
	int error = tree_begin(&walk, path);
	char *directory;

	while (!error && (directory = tree_next(&walk))) {
		error = mark_one(group, 0, mask | FAN_EVENT_ON_CHILD, directory);
		if (!error)
			error = tree_add_children(&walk, directory);
		error = pass_over(left, directory, error);
		free(directory);
	}
	if (walk.left)
		enforce_left_add(left, IMMUNE_LEFT_DIRECTORIES, walk.left, path,
				 "it has over " TEXT(TREE_DIRECTORIES_MAX)
				 ", name smaller trees");
	tree_end(&walk);
	return error;
}

static bool asks_for_rights(const struct mount_line *mount)
{
	return strstr(mount->options, "default_permissions") && served_path(mount->point);
}

/* Whether it lies open, and not below another mount. */
static bool is_reached(const struct mount_line *mount)
{
	struct statx about = { 0 };

	return !statx(AT_FDCWD, mount->point, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID,
		      &about) &&
	       about.stx_mask & STATX_MNT_ID && about.stx_mnt_id == mount->id;
}

/* Those that cannot be marked are no places to run programs from: procfs, sysfs and the like. */
static int mark_mounts(struct enforce_marking *marking, uint64_t mask, struct number_set *own)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	size_t capacity = 0;
	char *line = NULL;
	int marked = 0, count = 0;

	if (!mounts)
		return -errno;
	while (getline(&line, &capacity, mounts) > 0) {
		struct mount_line mount;

		if (!mount_line_parse(line, &mount))
			continue;
		number_set_add(own, mount.device + 1);
		if (++count > MOUNTS_MAX) {
			enforce_left_add(&marking->left, IMMUNE_LEFT_MOUNT, 1, mount.point,
					 "over " TEXT(MOUNTS_MAX) " are mounted");
			continue;
		}
		/* A program that is asked for each right, or for the way there, may never answer. */
		if (served_parent(mount.point) || asks_for_rights(&mount)) {
			enforce_left_add(&marking->left, IMMUNE_LEFT_SERVED, 1, mount.point,
					 served_reason);
			continue;
		}
		if (number_set_full(&marking->devices) &&
		    !number_set_has(&marking->devices, mount.device + 1)) {
			enforce_left_add(&marking->left, IMMUNE_LEFT_MOUNT, 1, mount.point,
					 NO_ROOM_REASON);
			continue;
		}
		if (fanotify_mark(marking->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask,
				  AT_FDCWD, mount.point))
			continue;
		marked++;
		if (is_reached(&mount))
			number_set_add(&marking->devices, mount.device + 1);
	}
	free(line);
	fclose(mounts);
	return marked ? 0 : -ENOTSUP;
}

static int mark_everywhere(struct enforce_marking *marking, uint64_t mask)
{
	struct number_set *own = calloc(1, sizeof(*own));
	const struct elsewhere elsewhere = {
		.group = marking->group,
		.mask = mask,
		.served = marking->served,
		.left = &marking->left,
		.own = own,
		.devices = &marking->devices,
	};
	int error = own ? mark_mounts(marking, mask, own) : -ENOMEM;

	if (!error)
		error = enforce_mark_elsewhere(&elsewhere);
	free(own);
	return error;
}

static int mark_place(struct enforce_marking *marking, const struct immune_enforce_mark *mark)
{
	struct enforce_left *left = &marking->left;
	int group = marking->group;
	uint64_t mask = (mark->events & IMMUNE_EVENT_EXEC ? FAN_OPEN_EXEC_PERM : 0) |
			(mark->events & IMMUNE_EVENT_OPEN ? FAN_OPEN_PERM : 0);

	if (mark->path[0] != '/' || !mask)
		return -EINVAL;
	if (mark->place == IMMUNE_PLACE_EVERYWHERE)
		return mark_everywhere(marking, mask);
	if (mark->place == IMMUNE_PLACE_OPENED)
		return pass_over(left, mark->path, mark_one(group, 0, mask, mark->path));
	/* Its answer and ours could wait for each other. */
	if (served_path(mark->path)) {
		enforce_left_add(left, IMMUNE_LEFT_SERVED, 1, mark->path, served_reason);
		return 0;
	}
	if (mark->place == IMMUNE_PLACE_FILE)
		return pass_over(left, mark->path, mark_file(group, mask, mark->path));
	return mark->place == IMMUNE_PLACE_TREE ? mark_tree(group, mask, mark->path, left)
						: -EINVAL;
}

/* One that cannot be marked keeps no other from being marked. */
int enforce_marks_set(struct enforce_marking *marking, const uint8_t *marks, uint32_t count)
{
	struct enforce_left *left = &marking->left;
	int first = 0;

	memset(left, 0, sizeof(*left));
	memset(&marking->devices, 0, sizeof(marking->devices));
	for (uint32_t i = 0; i < count; i++) {
		struct immune_enforce_mark mark;
		bool ends;
		int error;

		memcpy(&mark, marks + i * sizeof(mark), sizeof(mark));
		ends = !mark.path[sizeof(mark.path) - 1];
		mark.path[sizeof(mark.path) - 1] = 0;
		error = ends ? mark_place(marking, &mark) : -EINVAL;
		if (!error || first)
			continue;
		first = error;
		immune_fail("Cannot mark \"%s\" for refusals by fanotify: %s", mark.path,
			    strerror(-error));
	}
	if (!first)
		enforce_left_tell(left);
	return first ? first : enforce_left_count(left);
}
