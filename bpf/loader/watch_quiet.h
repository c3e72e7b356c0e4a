/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: files that lie beside a watched one, in a directory whose every open asks us. One
 * that is opened often is made quiet: the kernel ignores it for our group until it is written to.
 *
 * The answering thread makes quiet, and only by a lock it need not wait for. The following thread
 * and policy changes take it back.
 */
#ifndef IMMUNE_WATCH_QUIET_H
#define IMMUNE_WATCH_QUIET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Files that are quiet at a time. */
#define WATCH_QUIET_MAX 8192
/* Opens of a neighbour before it is made quiet: more than a file gets that is written beside the
 * watched one only to be renamed onto it. */
#define WATCH_QUIET_AFTER 16
/* Neighbours whose opens are counted at a time; those of one slot drive each other out. */
#define WATCH_QUIET_CANDIDATES 1024

struct quiet_file;

struct quiet_candidate {
	uint64_t inode;
	uint32_t device;
	uint32_t opens;
};

struct watch_quiet {
	pthread_mutex_t lock; /* guards files and count, and the marks that they stand for */
	struct quiet_file *files; /* WATCH_QUIET_MAX */
	uint64_t *hashes; /* of their handles */
	uint32_t count;
	struct quiet_candidate candidates[WATCH_QUIET_CANDIDATES]; /* the answering thread's */
	_Atomic uint64_t put, full, refused; /* made quiet, no room, the file system cannot */
};

int watch_quiet_init(struct watch_quiet *quiet);
void watch_quiet_free(struct watch_quiet *quiet);

/* Counts an open of a neighbour; true when it is one that should be made quiet. */
bool watch_quiet_due(struct watch_quiet *quiet, uint32_t device, uint64_t inode);

enum watch_quiet_end {
	WATCH_QUIET_BUSY, /* not now */
	WATCH_QUIET_REFUSED,
	WATCH_QUIET_FULL,
	WATCH_QUIET_PUT, /* check again that nobody watches it, then call watch_quiet_end() */
};

/* Makes an open file quiet that was opened as path. Only after PUT the lock is held. */
enum watch_quiet_end watch_quiet_begin(struct watch_quiet *quiet, int permission, int fd,
				       const char *path);
void watch_quiet_end(struct watch_quiet *quiet, int permission, int fd, bool keep);

/* Is this one quiet, by the hash of its handle? Any thread. */
bool watch_quiet_has(struct watch_quiet *quiet, uint64_t handle);

/* How many are quiet. Any thread. */
uint32_t watch_quiet_count(struct watch_quiet *quiet);

/* Takes all back. False when a file could not be reached: then only a flush of the group's marks
 * makes it heard again. */
bool watch_quiet_clear(struct watch_quiet *quiet, int permission);

#endif
