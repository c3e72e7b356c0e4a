/* SPDX-License-Identifier: MIT */
/*
 * The second lane of the hasher: files whose file system a program may serve, one after another, by
 * a process of their own. What stands still there holds up this lane alone. Contract:
 * specs/sensor_linux.md.
 */
#ifndef IMMUNE_HASH_APART_H
#define IMMUNE_HASH_APART_H

#include "hash_file.h"
#include "hasher.h"
#include "immune_sensor.h"

/* Files that wait in it; more are counted and not hashed. */
#define HASH_APART_MAX 64
/* A file system that stood still is asked again after so long. */
#define HASH_APART_REST_MS 60000
/* File systems that stood still and are remembered. */
#define HASH_APART_STILL_MAX 32

struct hash_apart;

/* What became of a hash. */
enum hash_told {
	HASH_TOLD,
	HASH_TOLD_BEFORE, /* it was not told again */
	HASH_NO_ROOM,
};

struct hash_apart_options {
	/* Called on the lane's thread with each hash. */
	enum hash_told (*found)(void *state, const struct hash_request *request,
				const struct hasher_answer *answer);
	void *state;
};

/* Starts the lane; 0 or -errno. */
int hash_apart_start(struct hash_apart **out, const struct hash_apart_options *options);

/* Gives it a file, whose descriptor is the lane's from now on. Never waits. */
void hash_apart_give(struct hash_apart *apart, const struct hash_request *request,
		     const struct hash_apart_file *file);

/* Two rows of kind 0. IMMUNE_SOURCE_HASH_APART: as of the first lane. IMMUNE_SOURCE_HASH_STILL: files
 * that were given up: unreadable = the file stood still or took too long; filtered = not asked, as its
 * file system stood still lately, or as HASH_HELPERS_LEFT_MAX wait for others. */
void hash_apart_stats(struct hash_apart *apart, struct immune_stats_row rows[2]);

/* Ends it, whatever stands still. A null pointer is fine. */
void hash_apart_stop(struct hash_apart *apart);

#endif
