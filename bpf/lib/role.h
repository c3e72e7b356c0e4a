/* SPDX-License-Identifier: MIT */
/* Role and session of a program, from the marks of its path and arguments. */
#ifndef IMMUNE_ROLE_H
#define IMMUNE_ROLE_H

#include "split.h"

/* The session that begins with a process: splitmix64 of its key, as wasm/assembly/labels.ts has it. */
static __always_inline __u64 session_of(__u32 pid, __u64 start_time_ns)
{
	__u64 hash = start_time_ns ^ ((__u64)pid << 40);

	hash += 0x9e3779b97f4a7c15ull;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
	hash ^= hash >> 31;
	return hash ? hash : 1;
}

/* The role that a program has by its marks; 0: none, or it is decided in user space. */
static __always_inline __u32 role_of(struct immune_scratch *scratch, const struct immune_slot *image,
				     const struct immune_slot *argv)
{
	struct immune_terms *all = terms_get();
	__u64 bits;

	if (!all || !all->count || !image->length)
		return 0;
	/* A path that is not whole could lack what forbids a role. */
	if (image->length >= IMMUNE_MARK_PATH_BYTES_MAX ||
	    image->length != image->original_length)
		return 0;
	scratch->split.bits = 0;
	/* Without its first slash, so that there is no empty component. */
	split_text(scratch, image->offset + 1, image->length - 1,
		   IMMUNE_EDGE_BEFORE, IMMUNE_MARK_PATH_BYTES_MAX);
	split_end(&scratch->split, END_OF_TEXT);
	if (scratch->split.count >= IMMUNE_COMPONENTS_MAX)
		return 0;
	directories_look(scratch->place, 0);
	components_look(scratch, IMMUNE_MARK_PART);
	split_text(scratch, argv->offset, argv->length, 0, IMMUNE_MARK_ARGUMENT_BYTES_MAX);
	components_look(scratch, IMMUNE_MARK_ARGUMENT);
	bits = scratch->split.bits;
	/* Bounded by the terms that a policy may have; the first one that holds counts. */
	for (__u32 i = 0; i < IMMUNE_TERMS_MAX && i < all->count; i++)
		if ((bits & all->terms[i].all) == all->terms[i].all &&
		    !(bits & all->terms[i].none))
			return all->terms[i].role;
	return 0;
}

#endif
