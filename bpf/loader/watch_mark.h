/* SPDX-License-Identifier: MIT */
/* Puts a watch set's marks into the kernel, and keeps them where they belong. */
#ifndef IMMUNE_WATCH_MARK_H
#define IMMUNE_WATCH_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "watch_quiet.h"
#include "watch_set.h"

/* The two fanotify groups: what is told of files, and names that lead to them. */
struct watch_groups {
	int files;
	int names;
	uint64_t on_file; /* events that marks of files ask for */
	uint64_t on_directory; /* the same of directories */
	bool targets; /* names says which file a name leads to (Linux 5.17) */
};

/* Groups for opens, which wait for an answer; or for changes, which are told afterwards. */
int watch_groups_open(struct watch_groups *groups);
int watch_groups_open_changes(struct watch_groups *groups);
void watch_groups_close(struct watch_groups *groups);

/* Looks an entry up again and marks what is there now. A path that does not exist yet is no error.
 * Returns 0 or the first negative errno; immune_error() has the line. */
int watch_refresh(const struct watch_groups *groups, struct watch_set *set, uint32_t index);

/* Watches a directory that appeared in a tree, and what is below it. */
int watch_grow(const struct watch_groups *groups, struct watch_set *set, uint32_t owner,
	       const char *path);

/* Sets all marks anew, those of quiet files gone. Opens may have gone unseen meanwhile. */
void watch_remark(const struct watch_groups *groups, struct watch_set *set);

/* Takes marks away that only the old set needs. */
void watch_unmark(const struct watch_groups *groups, struct watch_set *old,
		  struct watch_set *current);

/* Reads what is queued in the names group and refreshes what it concerns. Returns how many times
 * opens may have gone unseen: events lost, a tree over its bound, or a quiet file that became a
 * watched one. */
uint32_t watch_follow(const struct watch_groups *groups, struct watch_set *set,
		      struct watch_quiet *quiet);

#endif
