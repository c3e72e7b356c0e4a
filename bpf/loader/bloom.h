/* SPDX-License-Identifier: MIT */
/* The kernel's Bloom maps: one a list, as large as the list. */
#ifndef IMMUNE_BLOOM_H
#define IMMUNE_BLOOM_H

#include <stdint.h>

struct bpf_map;

/* What goes into one. */
struct bloom_list {
	const char *name; /* of the map, for people */
	const uint8_t *values;
	uint32_t count;
	uint32_t value_bytes;
	uint32_t hashes;
};

/*
 * Makes a Bloom map of a list and puts it in the one place of `outer`, in one step: who looks there
 * finds the list before or this one, whole. Its id goes into `id`. 0 or -errno; what was there stays
 * then.
 */
int bloom_swap(const struct bpf_map *outer, const struct bloom_list *list, uint32_t *id);

/* Leaves the place empty, for a list that is empty. 0 or -errno. */
int bloom_clear(const struct bpf_map *outer, uint32_t *id);

#endif
