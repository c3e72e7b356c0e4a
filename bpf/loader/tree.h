/* SPDX-License-Identifier: MIT */
/* Walks the directories of a tree, on one file system and without asking another one anything. */
#ifndef IMMUNE_TREE_H
#define IMMUNE_TREE_H

#include <stdint.h>
#include <sys/types.h>

struct tree_walk {
	char **paths; /* found, and not yet given */
	uint32_t count;
	uint32_t device_major, device_minor;
};

/* Begins at a directory; where there is none the walk is empty. 0 or a negative errno, and
 * tree_end() in either case. */
int tree_begin(struct tree_walk *walk, const char *root);

/* The next directory, to be freed; null at the end. */
char *tree_next(struct tree_walk *walk);

/* Adds the directories that lie in one that was given. 0 or a negative errno with a line; one that is
 * gone has none. */
int tree_add_children(struct tree_walk *walk, const char *path);

void tree_end(struct tree_walk *walk);

#endif
