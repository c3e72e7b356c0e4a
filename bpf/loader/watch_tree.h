/* SPDX-License-Identifier: MIT */
/* Directories below a watched one, and the two marks that each gets. */
#ifndef IMMUNE_WATCH_TREE_H
#define IMMUNE_WATCH_TREE_H

#include "watch_mark.h"

/* Marks root and every directory below it on the same file system. 0 or the first negative errno;
 * -ENOSPC when IMMUNE_WATCHES_MAX directories were not enough. */
int watch_tree(const struct watch_groups *groups, struct watch_set *set, uint32_t owner,
	       const char *root);

int watch_mark_names(const struct watch_groups *groups, const char *path);
int watch_mark_directory(const struct watch_groups *groups, const char *path);

#endif
