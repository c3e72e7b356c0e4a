/* SPDX-License-Identifier: MIT */
/* Texts cut into components, and the marks that are found in them: specs/labels.md, marks.h. */
#ifndef IMMUNE_SPLIT_H
#define IMMUNE_SPLIT_H

#include "record.h"

/* Bytes that one call cuts. */
#define IMMUNE_SPLIT_BYTES 64u

/* How a component ends; that of its start is the end of the one before. */
enum component_end {
	END_OF_TEXT = 0,
	END_BY_SLASH = 1,
};

static __always_inline struct immune_terms *terms_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&terms, &key);
}

static __always_inline __u64 sequence_add(__u64 sequence, __u64 component)
{
	sequence = (sequence ^ component) * IMMUNE_FNV_PRIME;
	return sequence ^ (sequence >> 32);
}

/* Begins a text: the image's path without its first slash, or the arguments. */
static __always_inline void split_begin(struct immune_split *split, __u32 edge)
{
	split->hash = IMMUNE_FNV_OFFSET;
	split->count = 0;
	split->argument = 0;
	split->argument_bytes = 0;
	split->slash_before = edge;
}

/* Keeps the component that ends here, unless there are too many or its argument is too long. */
static __always_inline void split_end(struct immune_split *split, __u32 end)
{
	__u32 at = split->count;

	if (split->argument_bytes <= split->argument_bytes_max && at < IMMUNE_COMPONENTS_MAX) {
		split->components[at].hash = split->hash;
		split->components[at].text = split->argument;
		split->components[at].edges = split->slash_before |
					      (end == END_BY_SLASH ? IMMUNE_EDGE_AFTER : 0);
		split->count = at + 1;
	}
	split->hash = IMMUNE_FNV_OFFSET;
	split->slash_before = end == END_BY_SLASH ? IMMUNE_EDGE_BEFORE : 0;
}

/*
 * One byte of a text; a NUL ends an argument. All state is in the map, so that to the verifier each
 * turn of the loops below is like the one before.
 */
static __always_inline void split_byte(struct immune_split *split, __u8 byte)
{
	if (!byte) {
		split_end(split, END_OF_TEXT);
		split->argument++;
		split->argument_bytes = 0;
		return;
	}
	split->argument_bytes++;
	if (byte == '/') {
		split_end(split, END_BY_SLASH);
		return;
	}
	if (byte - 'A' < 26u)
		byte |= 0x20;
	split->hash = (split->hash ^ byte) * IMMUNE_FNV_PRIME;
}

/*
 * The functions below that are not static are verified once each and not once a call (path.h): a loop
 * over all bytes has more ways through it than a verifier follows (8,192 branches). Weak: see there.
 */

/* Cuts at most IMMUNE_SPLIT_BYTES from `from` on; always 0. */
__weak __noinline int split_some(__u32 place, __u32 from, __u32 length)
{
	struct immune_scratch *scratch = scratch_at(place);

	if (!scratch)
		return 0;
	/* Bounded by what one call cuts; the rest is the next call's. */
	for (__u32 i = 0; i < IMMUNE_SPLIT_BYTES && i < length; i++) {
		__u32 at = from + i;

		/* Holds by what the callers give; the verifier wants it on the final value. */
		barrier_var(at);
		if (at >= IMMUNE_RECORD_BYTES_MAX)
			break;
		split_byte(&scratch->split, scratch->record[at]);
	}
	return 0;
}

/* Cuts a text into components. */
static __always_inline void split_text(struct immune_scratch *scratch, __u32 from, __u32 length,
				       __u32 edge, __u32 argument_bytes_max)
{
	struct immune_split *split = &scratch->split;

	split_begin(split, edge);
	split->argument_bytes_max = argument_bytes_max;
	/* Bounded by the bytes of arguments that are kept. */
	for (__u32 i = 0; i < IMMUNE_ARGV_BYTES_MAX / IMMUNE_SPLIT_BYTES; i++) {
		__u32 done = i * IMMUNE_SPLIT_BYTES;

		if (done >= length || split->argument >= IMMUNE_MARK_ARGUMENTS_MAX)
			break;
		split_some(scratch->place, from + done, length - done);
	}
}

/* Bits of the mark with this hash, if there is one and these slashes are enough for it; else 0. */
static __always_inline __u64 mark_bits(const struct immune_terms *all, __u64 sequence, __u32 edges)
{
	__u32 bit = immune_mark_filter_bit(sequence);
	struct immune_mark *mark;

	if (!(all->filter[bit / 64] >> (bit % 64) & 1))
		return 0;
	mark = bpf_map_lookup_elem(&marks, &sequence);
	return mark && (mark->edges & edges) == mark->edges ? mark->bits : 0;
}

static __always_inline void mark_look(const struct immune_terms *all, struct immune_split *split,
				      __u64 sequence, __u32 edges)
{
	split->bits |= mark_bits(all, sequence, edges);
}

/*
 * Looks for marks of one type, with IMMUNE_MARK_OPEN or without, that start at component `first`;
 * always 0.
 */
__weak __noinline int sequences_look(__u32 place, __u32 first, __u32 type)
{
	struct immune_scratch *scratch = scratch_at(place);
	__u64 part = type, tail = IMMUNE_MARK_TAIL | (type & IMMUNE_MARK_OPEN);
	struct immune_terms *all = terms_get();
	struct immune_split *split;
	__u32 before, text;

	if (!scratch || !all || first >= IMMUNE_COMPONENTS_MAX)
		return 0;
	split = &scratch->split;
	before = split->components[first].edges & IMMUNE_EDGE_BEFORE;
	text = split->components[first].text;
	/* Bounded by the longest sequence of a mark. */
	for (__u32 i = 0; i < IMMUNE_MARK_SEQUENCE_MAX; i++) {
		__u32 at = first + i;
		struct immune_component *component;

		if (at >= IMMUNE_COMPONENTS_MAX || at >= split->count)
			return 0;
		component = &split->components[at];
		if (component->text != text)
			return 0;
		part = sequence_add(part, component->hash);
		mark_look(all, split, part, before | (component->edges & IMMUNE_EDGE_AFTER));
		tail = sequence_add(tail, component->hash);
		if ((type | IMMUNE_MARK_OPEN) == (IMMUNE_MARK_PART | IMMUNE_MARK_OPEN) &&
		    at + 1 == split->count)
			mark_look(all, split, tail, before);
	}
	return 0;
}

/* Looks for the directories of a path, and for the whole of it; what: 0 or IMMUNE_MARK_OPEN. */
__weak __noinline int directories_look(__u32 place, __u32 what)
{
	struct immune_scratch *scratch = scratch_at(place);
	__u64 directory = IMMUNE_MARK_DIRECTORY | what, whole = IMMUNE_MARK_PATH | what;
	struct immune_terms *all = terms_get();
	struct immune_split *split;

	if (!scratch || !all)
		return 0;
	split = &scratch->split;
	/* Bounded by the components that a split keeps. */
	for (__u32 i = 0; i < IMMUNE_COMPONENTS_MAX && i < split->count; i++) {
		directory = sequence_add(directory, split->components[i].hash);
		whole = sequence_add(whole, split->components[i].hash);
		if (i + 1 < split->count)
			mark_look(all, split, directory, IMMUNE_EDGE_BEFORE | IMMUNE_EDGE_AFTER);
	}
	mark_look(all, split, whole, IMMUNE_EDGE_BEFORE);
	return 0;
}

/* Looks for marks of one type at every component. */
static __always_inline void components_look(struct immune_scratch *scratch, __u32 type)
{
	/* Bounded by the components that a split keeps. */
	for (__u32 i = 0; i < IMMUNE_COMPONENTS_MAX; i++) {
		if (i >= scratch->split.count)
			break;
		sequences_look(scratch->place, i, type);
	}
}

#endif
