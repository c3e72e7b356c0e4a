/* SPDX-License-Identifier: MIT */
/* Whether a rule or an indicator could need a record of a connection: network_filter.h. */
#ifndef IMMUNE_NEED_H
#define IMMUNE_NEED_H

#include "socket.h"

#include "network_filter.h"

/* What becomes of a record. */
enum network_need {
	NEED_NONE = 0, /* filtered, where the policy says so */
	NEED_SOME = 1, /* sent, within the limits */
	NEED_NAMED = 2, /* sent, whatever the limits: asked for by port or network, or maybe listed */
};

/* The end of a connection that rules ask for. */
struct endpoint {
	const __u8 *address; /* 16 bytes, as records have them */
	__u16 family;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct immune_network_filter);
} network_filters SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2 * IMMUNE_FILTER_NETWORKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct immune_network_key);
	__type(value, __u64);
} networks SEC(".maps") __weak;

/* A form for the loader, which makes one as large as a list and puts it in `listed` in one step. */
struct immune_listed_bloom {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, IMMUNE_LISTED_MAX);
	__uint(map_extra, IMMUNE_LISTED_HASHES);
	__uint(value_size, sizeof(struct immune_listed));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct immune_listed_bloom);
} listed SEC(".maps") __weak;

/* What a record is about, in one number: place of the filter, kind, family and port. */
#define ABOUT(slot, kind, family, port) \
	((__u64)(slot) << 56 | (__u64)(kind) << 48 | (__u64)(family) << 32 | (port))
#define ABOUT_SLOT(about) ((__u32)((about) >> 56))
#define ABOUT_KIND(about) ((__u32)((about) >> 48) & 0xff)
#define ABOUT_FAMILY(about) ((__u32)((about) >> 32) & 0xffff)
#define ABOUT_PORT(about) ((__u16)(about))

/*
 * Whether an address may be listed: the end of a network's key is what the Bloom map has. Before
 * Linux 5.16 there is none: the loader then says `listed_any` where there is a list, and this is
 * code that the verifier never follows.
 */
static __always_inline bool address_listed(struct immune_network_key *key)
{
	void *bloom;

	if (!bpf_core_enum_value_exists(enum bpf_map_type, BPF_MAP_TYPE_BLOOM_FILTER))
		return false;
	/* Its one place is 0, as are the bits that count until the trie is asked. */
	bloom = bpf_map_lookup_elem(&listed, &key->bits);
	return bloom && !bpf_map_peek_elem(bloom, &key->family);
}

/*
 * Who could need a record with this address, IPv4 in its first 4 bytes: enum network_need. Verified
 * once and not once a caller's way to it (measured for the states of a socket: 60,000 instructions
 * before, 22,000 since); all in numbers, as older kernels let no pointer in. A caller and this may
 * have 512 bytes of stack together, each rounded up to 32, and the states of a socket take 448 on
 * Linux 5.10: so there is one key, also for the numbers of places. Weak: see path.h.
 */
__weak __noinline int network_need(__u64 first, __u64 second, __u64 about)
{
	__u32 kind = ABOUT_KIND(about), row = kind - IMMUNE_NETWORK_KIND_FIRST;
	struct immune_network_filter *filter;
	struct immune_network_key key = {
		.slot = ABOUT_SLOT(about),
		.family = ABOUT_FAMILY(about),
	};
	__u64 terms, *here;

	__builtin_memcpy(key.address, &first, sizeof(first));
	__builtin_memcpy(key.address + sizeof(first), &second, sizeof(second));
	filter = bpf_map_lookup_elem(&network_filters, &key.slot);
	if (!filter || row >= IMMUNE_NETWORK_KINDS)
		return NEED_SOME;
	if (filter->listed >> kind & 1 && (filter->listed_any || address_listed(&key)))
		return NEED_NAMED;
	terms = filter->terms[row] & filter->class_terms[filter->port_classes[ABOUT_PORT(about)]];
	/* The dearest look comes last, and only where it can change something. */
	if (terms || filter->listed_networks >> kind & 1) {
		key.bits = IMMUNE_NETWORK_KEY_BITS +
			   8 * (key.family == IMMUNE_FAMILY_IPV4 ? 4 : sizeof(key.address));
		here = bpf_map_lookup_elem(&networks, &key);
		/* Not whole: its networks are just being written, or it is another family. */
		if (!here)
			return NEED_SOME;
		if (filter->listed_networks >> kind & 1 && *here & IMMUNE_TERM_LISTED)
			return NEED_NAMED;
		terms &= *here;
	}
	if (terms & filter->named)
		return NEED_NAMED;
	return terms || filter->every >> kind & 1 ? NEED_SOME : NEED_NONE;
}

/* What becomes of a record while there is a filter. */
static __always_inline __u32 record_need(const struct immune_control *policy,
					 const struct immune_record_header *header,
					 const struct endpoint *end)
{
	__u32 slot = (policy->network_slot - 1) & 0xff;
	__u64 address[2];
	__u32 need;

	__builtin_memcpy(address, end->address, sizeof(address));
	need = network_need(address[0], address[1],
			    ABOUT(slot, header->kind, end->family, end->port));
	/* What an AI workload does is its story, whether or not a rule asks. */
	return need == NEED_NONE && (header->role || header->session) ? NEED_SOME : need;
}

/* Whether a rule asks for this end by port or network, or it may be listed. */
static __always_inline bool network_named(const struct immune_record_header *header,
					  const struct endpoint *end)
{
	struct immune_control *policy = control_get();

	return policy && policy->network_slot && record_need(policy, header, end) == NEED_NAMED;
}

/* Sends a record of a connection, or counts it as filtered or folded; whether it was sent. */
static __always_inline bool network_send(struct immune_record_header *header, __u64 length,
					 struct immune_tally *tally, const struct endpoint *end,
					 bool awaited)
{
	struct immune_control *policy = control_get();
	__u32 need = NEED_SOME;

	/* Without limits and filtering it changes nothing. */
	if (policy && policy->network_slot &&
	    (policy->network_filtered || policy->process_rate || policy->cgroup_rate))
		need = record_need(policy, header, end);
	if (need == NEED_NONE && policy && policy->network_filtered) {
		count_one(tally, filtered);
		return false;
	}
	if (need != NEED_NAMED && rate_folds(header)) {
		count_one(tally, folded);
		return false;
	}
	record_put(&bulk, header, length, tally, IMMUNE_STREAM_BULK, awaited);
	return true;
}

#endif
