// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "hash_cache.h"

int hash_cache_init(struct hash_cache *cache)
{
	cache->entries = calloc(HASH_CACHE_ENTRIES, sizeof(*cache->entries));
	return cache->entries ? 0 : -ENOMEM;
}

void hash_cache_free(struct hash_cache *cache)
{
	free(cache->entries);
}

static bool is_same(const struct hash_version *a, const struct hash_version *b)
{
	return a->inode == b->inode && a->device == b->device &&
	       a->change_time_ns == b->change_time_ns && a->size == b->size;
}

struct hash_entry *hash_cache_find(struct hash_cache *cache, const struct hash_version *version)
{
	uint64_t mixed = (version->inode ^ (uint64_t)version->device << 32) * 0x9e3779b97f4a7c15ull;
	struct hash_entry *first =
		&cache->entries[(mixed >> 32) % HASH_CACHE_ENTRIES & ~(HASH_CACHE_WAYS - 1u)];
	struct hash_entry *oldest = first;

	cache->questions++;
	for (int i = 0; i < HASH_CACHE_WAYS; i++) {
		struct hash_entry *entry = &first[i];

		if (entry->known && is_same(&entry->version, version)) {
			entry->met = cache->questions;
			return entry;
		}
		if (entry->met < oldest->met)
			oldest = entry;
	}
	oldest->version = *version;
	oldest->met = cache->questions;
	oldest->known = false;
	return oldest;
}
