/* SPDX-License-Identifier: MIT */
/* What is watched, as names and identities: decides whether an open is one of them. */
#ifndef IMMUNE_WATCH_SET_H
#define IMMUNE_WATCH_SET_H

#include <linux/types.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "immune_record.h"
#include "immune_sensor.h"

/* Directories of one set: of trees at most IMMUNE_WATCHES_MAX, and two parents of each file. */
#define WATCH_DIRECTORIES_MAX (3 * IMMUNE_WATCHES_MAX)
/* Other watched paths of one file that an open of it is told under. */
#define WATCH_NAMES_MAX 16
/* Bits of the filter of names that matter when something of that name appears. */
#define WATCH_NAME_BITS 65536

/* A place where a watched file is expected: canonical directory, slash, name. */
struct watch_place {
	uint64_t hash; /* of path; 0 = not known */
	uint64_t name_hash;
	char *path;
};

struct watch_entry {
	uint16_t type; /* enum immune_watch_type */
	bool dirty; /* something of one of its names changed */
	bool has_inode;
	uint32_t device; /* kernel encoding */
	uint64_t inode;
	uint64_t handle; /* watch_handle_path() of it; 0 = not known */
	uint32_t links; /* names that it was last seen to have */
	uint32_t stamp; /* of its last refresh */
	char *path; /* as asked for */
	struct watch_place places[2]; /* through its own name, and where links lead */
};

struct watch_directory {
	uint64_t hash;
	uint64_t handle; /* watch_handle_path() of it; 0 = not known */
	char *path; /* canonical */
	uint32_t owner; /* index of the entry */
	uint32_t stamp;
	bool whole; /* every file in it is watched, not only some names */
	bool tree; /* new directories in it are, too */
};

struct watch_set {
	pthread_mutex_t lock; /* held for memory work only, never across a file operation */
	struct watch_entry *entries;
	uint32_t count;
	struct watch_directory *directories;
	uint32_t directory_count;
	uint32_t tree_count; /* directories that belong to trees */
	uint32_t whole_count;
	uint8_t names[WATCH_NAME_BITS / 8];
};

/* Copies those of the validated policy entries that want this; null when memory is short. */
struct watch_set *watch_set_new(const uint8_t *entries, uint32_t count, enum immune_watch_want want);
void watch_set_free(struct watch_set *set);

enum watch_verdict {
	WATCH_WANTED,
	WATCH_UNWANTED,
	WATCH_NEIGHBOUR, /* not wanted, and lies in a directory of which only names are watched */
};

/* A file as it was opened. */
struct watch_file {
	const char *path;
	uint32_t device;
	uint64_t inode;
};

/* Under which paths an open is told. */
struct watch_names {
	bool own; /* the one that it was opened by */
	uint32_t count; /* other paths at which the same file is watched (a hard link, another mount) */
	uint32_t over; /* those beyond WATCH_NAMES_MAX */
	char paths[WATCH_NAMES_MAX][IMMUNE_PATH_BYTES_MAX];
};

/* Is this open one that the set wants, and by which paths? A path that leads to no known directory
 * (another mount of it) counts as wanted unless only other names are watched. */
enum watch_verdict watch_set_judge(struct watch_set *set, const struct watch_file *file,
				   struct watch_names *names);

uint64_t watch_hash(const void *bytes, size_t length);

/* Notes that something called like a component of path matters. */
void watch_set_expect(struct watch_set *set, const char *path);
bool watch_set_expects(const struct watch_set *set, const char *name);

/* Marks the entries dirty that have this component in a name; returns how many. */
uint32_t watch_set_touch(struct watch_set *set, const char *name);

/* Notes where entry's file is looked for. 0 or -ENOMEM. */
int watch_set_place(struct watch_set *set, struct watch_entry *entry, int which,
		    const char *path);
void watch_set_inode(struct watch_set *set, struct watch_entry *entry, uint32_t device,
		     uint64_t inode);
void watch_set_handle(struct watch_set *set, struct watch_entry *entry, uint64_t handle,
		      uint32_t links);
void watch_set_no_inode(struct watch_set *set, struct watch_entry *entry);

/* Adds a directory or renews its stamp. 0, -ENOSPC over a bound, -ENOMEM. */
int watch_set_directory(struct watch_set *set, const struct watch_directory *directory);
/* Forgets the directories of owner that the last refresh did not find. */
void watch_set_sweep(struct watch_set *set, uint32_t owner, uint32_t stamp);
/* Forgets path and what is below it, of trees. */
void watch_set_drop(struct watch_set *set, const char *path);
/* Finds a tree's directory by handle: copies its path, gives its owner; false when unknown. */
bool watch_set_tree(struct watch_set *set, uint64_t handle, char *path, uint32_t *owner);
/* Finds any directory by handle: copies its path; false when it is none of the set. */
bool watch_set_find(struct watch_set *set, uint64_t handle, char *path);
/* Is the directory with this handle one whose every file is watched? */
bool watch_set_whole(struct watch_set *set, uint64_t handle);
bool watch_set_has_directory(struct watch_set *set, uint64_t hash, const char *path);
bool watch_set_has_inode(struct watch_set *set, uint32_t device, uint64_t inode);

#endif
