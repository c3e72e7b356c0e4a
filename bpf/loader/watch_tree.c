// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "served.h"
#include "tree.h"
#include "watch_handle.h"
#include "watch_tree.h"

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
	struct tree_walk walk;
	char *path;
	int first = tree_begin(&walk, root);

	/* Bounded: a directory that is not taken into the set is not read. */
	while ((path = tree_next(&walk))) {
		int error = mark_one(groups, set, owner, path);

		if (error == -ENOENT)
			watch_set_drop(set, path);
		else if (!error)
			error = tree_add_children(&walk, path);
		if (error && error != -ENOENT && !first)
			first = error;
		free(path);
	}
	if (walk.left && !first) {
		immune_fail("Cannot watch a tree in full: over %d directories",
			    TREE_DIRECTORIES_MAX);
		first = -ENOSPC;
	}
	tree_end(&walk);
	return first;
}

int watch_grow(const struct watch_groups *groups, struct watch_set *set, uint32_t owner,
	       const char *path)
{
	struct stat root, found;

	/* Something that a program serves was mounted on it. */
	if (served_path(path))
		return 0;
	if (lstat(path, &found) || !S_ISDIR(found.st_mode))
		return 0;
	if (stat(set->entries[owner].path, &root) || root.st_dev != found.st_dev)
		return 0;
	return watch_tree(groups, set, owner, path);
}
