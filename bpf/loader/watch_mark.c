// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device.h"
#include "internal.h"
#include "served.h"
#include "watch_handle.h"
#include "watch_mark.h"
#include "watch_tree.h"

/* A name may be replaced between looking at it and marking it; then it is looked at again. */
#define SETTLE_ATTEMPTS_MAX 4

#define NAME_EVENTS (FAN_CREATE | FAN_MOVED_TO | FAN_MOVED_FROM | FAN_DELETE | FAN_ONDIR)

/* Not there yet, or not any more: its creation leads to a refresh. */
static bool is_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR;
}

static int fail_mark(const char *what, const char *path, int error)
{
	immune_fail("Cannot watch %s of \"%s\": %s", what, path, strerror(error));
	return -error;
}

/*
 * Before Linux 5.13 no names in memory can be followed. Of opens in /dev those of devices are meant,
 * whose nodes are followed otherwise; the directories there have marks all the same.
 */
static bool is_spared(const struct watch_groups *groups, const char *path, int error)
{
	return error == ENODEV && groups->on_file & FAN_OPEN_PERM && devices_follow(path);
}

int watch_mark_names(const struct watch_groups *groups, const char *path)
{
	int error;

	if (!fanotify_mark(groups->names, FAN_MARK_ADD | FAN_MARK_ONLYDIR, NAME_EVENTS, AT_FDCWD,
			   path))
		return 0;
	error = errno;
	if (is_spared(groups, path, error))
		return 0;
	return is_absent(-error) ? -error : fail_mark("changes", path, error);
}

int watch_mark_directory(const struct watch_groups *groups, const char *path)
{
	if (!fanotify_mark(groups->files, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
			   groups->on_directory, AT_FDCWD, path))
		return 0;
	return fail_mark("opens", path, errno);
}

/* Marks each directory that leads to path, as far as they exist: a rename of any of them, or the
 * creation of the first one missing, then leads to a refresh. */
static int mark_ancestors(const struct watch_groups *groups, const char *path)
{
	char prefix[PATH_MAX];
	int first = 0;

	/* Bounded by PATH_MAX: a round a component. */
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		size_t length = slash == path ? 1 : (size_t)(slash - path);
		int error;

		memcpy(prefix, path, length);
		prefix[length] = 0;
		error = watch_mark_names(groups, prefix);
		if (is_absent(error))
			return first;
		if (error && !first)
			first = error;
	}
	return first;
}

/* Marks a parent for one name in it. */
static int mark_place(const struct watch_groups *groups, struct watch_set *set, uint32_t index,
		      int which, const char *path)
{
	struct watch_entry *entry = &set->entries[index];
	struct watch_directory directory = { .owner = index, .stamp = entry->stamp };
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash == path ? 1 : (size_t)(slash - path);
	int error;

	memcpy(parent, path, length);
	parent[length] = 0;
	directory.path = parent;
	directory.handle = watch_handle_path(parent);
	error = watch_set_place(set, entry, which, path);
	if (!error)
		error = watch_set_directory(set, &directory);
	if (error)
		return fail_mark("opens", path, -error);
	return watch_mark_directory(groups, parent);
}

static int mark_inode(const struct watch_groups *groups, struct watch_set *set,
		      struct watch_entry *entry, const char *path)
{
	struct stat before, after;

	if (stat(path, &before))
		goto absent;
	for (int i = 0; i < SETTLE_ATTEMPTS_MAX; i++) {
		if (S_ISDIR(before.st_mode))
			return fail_mark("opens", path, EISDIR);
		watch_set_inode(set, entry, major(before.st_dev) << 20 | minor(before.st_dev),
				before.st_ino);
		watch_set_handle(set, entry, watch_handle_path(path), before.st_nlink);
		if (fanotify_mark(groups->files, FAN_MARK_ADD, groups->on_file, AT_FDCWD, path))
			return errno == ENOENT ? 0 : fail_mark("opens", path, errno);
		if (stat(path, &after))
			goto absent;
		if (after.st_ino == before.st_ino && after.st_dev == before.st_dev)
			return 0;
		before = after;
	}
	return fail_mark("opens", path, EAGAIN);
absent:
	watch_set_no_inode(set, entry);
	return 0;
}

static int refresh_file(const struct watch_groups *groups, struct watch_set *set, uint32_t index)
{
	struct watch_entry *entry = &set->entries[index];
	char parent[PATH_MAX], canonical[PATH_MAX], own[2 * PATH_MAX];
	const char *slash = strrchr(entry->path, '/');
	size_t length = slash == entry->path ? 1 : (size_t)(slash - entry->path);
	int error;

	memcpy(parent, entry->path, length);
	parent[length] = 0;
	if (!realpath(parent, canonical)) {
		watch_set_no_inode(set, entry);
		return is_absent(-errno) ? 0 : fail_mark("opens", entry->path, errno);
	}
	length = strlen(canonical);
	memcpy(own, canonical, length);
	if (length > 1)
		own[length++] = '/';
	strcpy(own + length, slash + 1);
	if (strlen(own) >= PATH_MAX)
		return fail_mark("opens", entry->path, ENAMETOOLONG);
	error = mark_place(groups, set, index, 0, own);
	if (error)
		return error;
	if (!realpath(entry->path, canonical)) {
		watch_set_no_inode(set, entry);
		return is_absent(-errno) ? 0 : fail_mark("opens", entry->path, errno);
	}
	if (strcmp(canonical, own)) {
		error = mark_ancestors(groups, canonical);
		if (!error)
			error = mark_place(groups, set, index, 1, canonical);
	} else {
		error = watch_set_place(set, entry, 1, NULL);
	}
	return error ? error : mark_inode(groups, set, entry, canonical);
}

static int refresh_directory(const struct watch_groups *groups, struct watch_set *set,
			     uint32_t index)
{
	struct watch_entry *entry = &set->entries[index];
	struct watch_directory directory = { .owner = index, .stamp = entry->stamp, .whole = true };
	char canonical[PATH_MAX];
	struct stat about;
	int error;

	if (!realpath(entry->path, canonical) || stat(canonical, &about))
		return is_absent(-errno) ? 0 : fail_mark("opens", entry->path, errno);
	if (!S_ISDIR(about.st_mode))
		return fail_mark("opens", entry->path, ENOTDIR);
	watch_set_expect(set, canonical);
	error = mark_ancestors(groups, canonical);
	if (error)
		return error;
	if (entry->type == IMMUNE_WATCH_TREE)
		return watch_tree(groups, set, index, canonical);
	directory.path = canonical;
	directory.handle = watch_handle_path(canonical);
	error = watch_set_directory(set, &directory);
	if (error)
		return fail_mark("opens", canonical, -error);
	error = watch_mark_directory(groups, canonical);
	return error ? error : watch_mark_names(groups, canonical);
}

int watch_refresh(const struct watch_groups *groups, struct watch_set *set, uint32_t index)
{
	struct watch_entry *entry = &set->entries[index];
	int followed, error;

	entry->dirty = false;
	entry->stamp++;
	if (entry->path[0] != '/' || strlen(entry->path) >= PATH_MAX)
		return fail_mark("opens", entry->path, EINVAL);
	/* Whoever serves it may itself open a watched file: its wait for our answer and our wait for
	 * it would never end. */
	if (served_path(entry->path)) {
		watch_set_no_inode(set, entry);
		watch_set_sweep(set, index, entry->stamp);
		immune_fail("Cannot watch \"%s\": a program serves its file system (FUSE)",
			    entry->path);
		return -EOPNOTSUPP;
	}
	followed = mark_ancestors(groups, entry->path);
	error = entry->type == IMMUNE_WATCH_FILE ? refresh_file(groups, set, index)
						 : refresh_directory(groups, set, index);
	watch_set_sweep(set, index, entry->stamp);
	return error ? error : followed;
}

void watch_remark(const struct watch_groups *groups, struct watch_set *set)
{
	fanotify_mark(groups->files, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	for (uint32_t i = 0; i < set->count; i++)
		watch_refresh(groups, set, i);
}

void watch_unmark(const struct watch_groups *groups, struct watch_set *old,
		  struct watch_set *current)
{
	if (!current->count) {
		fanotify_mark(groups->files, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
		fanotify_mark(groups->names, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
		return;
	}
	for (uint32_t i = 0; i < old->directory_count; i++) {
		const struct watch_directory *directory = &old->directories[i];

		if (!watch_set_has_directory(current, directory->hash, directory->path) &&
		    !served_path(directory->path))
			fanotify_mark(groups->files, FAN_MARK_REMOVE,
				      groups->on_directory, AT_FDCWD, directory->path);
	}
	for (uint32_t i = 0; i < old->count; i++) {
		const struct watch_entry *entry = &old->entries[i];

		if (entry->has_inode &&
		    !watch_set_has_inode(current, entry->device, entry->inode) &&
		    !served_path(entry->path))
			fanotify_mark(groups->files, FAN_MARK_REMOVE, groups->on_file, AT_FDCWD,
				      entry->path);
	}
}
