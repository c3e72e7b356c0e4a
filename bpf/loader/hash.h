/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 of programs that start and of watched files, on a thread of its own: nobody waits for it.
 * A file is read once a version (device, inode, time of its last change, size), where that lasts.
 */
#ifndef IMMUNE_HASH_H
#define IMMUNE_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "immune_sensor.h"

struct hasher;
struct hash_programs;

enum hash_mode {
	HASH_NONE,
	HASH_FIRST, /* a record for each version of a file, the first time that it is met */
	HASH_EACH, /* a record for each start of a program besides */
};

/* Starts the thread; nothing is hashed yet. wake_eventfd is written whenever the output queue stops
 * being empty. Returns 0 or a negative errno. */
int hash_start(struct hasher **out, const struct hash_programs *programs, int wake_eventfd);

void hash_want(struct hasher *hasher, enum hash_mode mode);

/* Takes note of what is to be hashed among whole records. Never waits. */
void hash_note(struct hasher *hasher, const uint8_t *records, uint32_t length);

/* Moves whole records to buffer; returns bytes. */
uint32_t hash_drain(struct hasher *hasher, uint8_t *buffer, uint32_t capacity);

/* Row of kind 0, source IMMUNE_SOURCE_HASH: hashes are no records of what happened, one that cannot be
 * made is no loss of those. filtered = the version was told before, or the file waits already;
 * ring_full = too many waited; oversized = over HASH_FILE_BYTES_MAX; unreadable = gone, changed
 * meanwhile, or no plain file. */
void hash_stats(struct hasher *hasher, struct immune_stats_row *row);

/* The rows of the second lane (hash_apart.h); how many: 0 before the first file of it, else 2. */
int hash_apart_rows(struct hasher *hasher, struct immune_stats_row rows[2]);

/* Whether the second lane is off: too many of its helpers wait for what does not answer. */
bool hash_apart_off(struct hasher *hasher);

/* Ends the thread. A null pointer is fine. */
void hash_stop(struct hasher *hasher);

#endif
