/* SPDX-License-Identifier: MIT */
/* Whether an indicator may list an opened file: listed_file.h. What the map denies is not listed. */
#ifndef IMMUNE_LISTED_H
#define IMMUNE_LISTED_H

#include "split.h"

#include "listed_file.h"

/* A form for the loader, which makes one as large as a list and puts it in `listed_files`. */
struct immune_listed_files_bloom {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, IMMUNE_LISTED_FILES_MAX);
	__uint(map_extra, IMMUNE_LISTED_FILE_HASHES);
	__uint(value_size, sizeof(__u64));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct immune_listed_files_bloom);
} listed_files SEC(".maps") __weak;

/* What a file's name tells. */
enum listed_by {
	LISTED_NOT = 0,
	LISTED_BY_PATH = 1, /* a path with this name is listed: the whole of it decides */
	LISTED_BY_NAME = 2, /* the name is listed */
};

/*
 * Whether a key may be in the list. It lies in a map: the verifier of Linux 7.3 does not see that a look
 * into a Bloom map reads the stack, and refuses it. Before Linux 5.16 there is no such map: the loader
 * then asks for every open where there is a list, and this is code that the verifier never follows.
 */
static __always_inline bool key_listed(__u64 *key)
{
	__u32 place = 0;
	void *bloom;

	if (!bpf_core_enum_value_exists(enum bpf_map_type, BPF_MAP_TYPE_BLOOM_FILTER))
		return true;
	bloom = bpf_map_lookup_elem(&listed_files, &place);
	/* The loader says that there is a list only when it is there. */
	return !bloom || !bpf_map_peek_elem(bloom, key);
}

/* What the hash of a file's name tells: one look for most names. */
static __always_inline enum listed_by name_listed(const struct immune_control *policy, __u64 name,
						  __u64 *key)
{
	if (!policy->listed_files)
		return LISTED_NOT;
	*key = sequence_add(IMMUNE_LISTED_LAST, name);
	if (!key_listed(key))
		return LISTED_NOT;
	*key = sequence_add(IMMUNE_LISTED_NAME, name);
	return key_listed(key) ? LISTED_BY_NAME : LISTED_BY_PATH;
}

/* Whether the path that was cut last, whole, may be listed: 1 or 0. Weak: see path.h. */
__weak __noinline int path_listed(__u32 place)
{
	struct immune_scratch *scratch = scratch_at(place);
	__u64 whole = IMMUNE_LISTED_PATH;

	if (!scratch)
		return 1;
	/* Bounded by the components that a split keeps; who has as many is not asked here. */
	for (__u32 i = 0; i < IMMUNE_COMPONENTS_MAX && i < scratch->split.count; i++)
		whole = sequence_add(whole, scratch->split.components[i].hash);
	scratch->listed_key = whole;
	return key_listed(&scratch->listed_key);
}

#endif
