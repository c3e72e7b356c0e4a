/* SPDX-License-Identifier: MIT */
/* Hashes of the versions of files that were met lately; also in bpf/hasher. */
#ifndef IMMUNE_HASH_CACHE_H
#define IMMUNE_HASH_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "hash_read.h"

/* A power of two; a file has HASH_CACHE_WAYS places, of which the one met longest ago gives way. */
#define HASH_CACHE_ENTRIES 4096
#define HASH_CACHE_WAYS 4

struct hash_entry {
	struct hash_version version;
	uint64_t met; /* when, counted in questions */
	uint8_t digest[SHA256_BYTES];
	bool known;
};

struct hash_cache {
	struct hash_entry *entries;
	uint64_t questions;
};

/* The hash of a version. */
struct hash_found {
	uint8_t digest[SHA256_BYTES];
	bool is_known; /* this version was met lately, with this hash */
};

int hash_cache_init(struct hash_cache *cache);
void hash_cache_free(struct hash_cache *cache);

/* Finds the hash of an open file: reads it, unless it was read as this version and that one lasts.
 * 0, or what hash_read() says. */
int hash_cache_ask(struct hash_cache *cache, int fd, const struct hash_version *version,
		   const struct hash_reading *reading, struct hash_found *found);

#endif
