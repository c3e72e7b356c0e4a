// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* The entry of a version; a new one, not known yet, where it was not met lately. */
static struct hash_entry *find(struct hash_cache *cache, const struct hash_version *version)
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

int hash_cache_ask(struct hash_cache *cache, int fd, const struct hash_version *version,
		   const struct hash_reading *reading, struct hash_found *found)
{
	struct hash_entry *entry = find(cache, version);
	int error;

	found->is_known = entry->known;
	if (entry->known && entry->version.lasts && version->lasts) {
		memcpy(found->digest, entry->digest, sizeof(found->digest));
		return 0;
	}
	error = hash_read(fd, version, reading, found->digest);
	if (error)
		return error;
	found->is_known = entry->known &&
			  !memcmp(found->digest, entry->digest, sizeof(found->digest));
	memcpy(entry->digest, found->digest, sizeof(entry->digest));
	entry->version.lasts = version->lasts;
	entry->known = true;
	return 0;
}
