/* SPDX-License-Identifier: MIT */
/* Walks the directories of a tree, on one file system and without asking another one anything. */
#ifndef IMMUNE_TREE_H
#define IMMUNE_TREE_H

#include <stdint.h>
#include <sys/types.h>

/* Directories that one walk gives. */
#define TREE_DIRECTORIES_MAX 4096
/* Directories of one that are looked at; of more nobody knows which are the oldest. */
#define TREE_CHILDREN_MAX 65536

/* Breadth first, and of one directory those that were made first: whoever may write somewhere in a
 * tree takes no place of what lay higher, or was there before. */
struct tree_walk {
	char **paths; /* found: those before `next` are given */
	uint32_t next, count;
	uint32_t left; /* at least so many more are there, with all below them */
	uint32_t device_major, device_minor;
};

/* Begins at a directory; where there is none the walk is empty. 0 or a negative errno, and
 * tree_end() in either case. */
int tree_begin(struct tree_walk *walk, const char *root);

/* The next directory, to be freed; null at the end. */
char *tree_next(struct tree_walk *walk);

/* Adds the directories that lie in one that was given, and counts those there is no room for. 0 or a
 * negative errno with a line; one that is gone has none. */
int tree_add_children(struct tree_walk *walk, const char *path);

void tree_end(struct tree_walk *walk);

#endif
