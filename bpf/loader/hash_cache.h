/* SPDX-License-Identifier: MIT */
/* Hashes of the versions of files that were met lately. */
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

int hash_cache_init(struct hash_cache *cache);
void hash_cache_free(struct hash_cache *cache);

/* The entry of a version; a new one, not known yet, where it was not met lately. */
struct hash_entry *hash_cache_find(struct hash_cache *cache, const struct hash_version *version);

#endif
