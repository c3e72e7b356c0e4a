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

/*
 * Whether an address may be listed. Before Linux 5.16 there is no Bloom map: the loader then makes
 * none and says `listed_any` where there is a list, and the look into it is code that the verifier
 * never follows.
 */
static __always_inline bool address_listed(const struct immune_network_filter *filter,
					   const struct endpoint *end)
{
	struct immune_listed value = { .family = end->family };
	__u32 key = 0;
	void *bloom;

	if (filter->listed_any)
		return true;
	if (!bpf_core_enum_value_exists(enum bpf_map_type, BPF_MAP_TYPE_BLOOM_FILTER))
		return false;
	bloom = bpf_map_lookup_elem(&listed, &key);
	if (!bloom)
		return false;
	__builtin_memcpy(value.address, end->address, sizeof(value.address));
	return !bpf_map_peek_elem(bloom, &value);
}

/* Terms that hold in the smallest network of an address, or NULL: of a family without networks. */
static __always_inline __u64 *network_terms(__u32 slot, const struct endpoint *end)
{
	struct immune_network_key key = {
		.bits = IMMUNE_NETWORK_KEY_BITS +
			8 * (end->family == IMMUNE_FAMILY_IPV4 ? 4 : sizeof(key.address)),
		.slot = slot,
		.family = end->family,
	};

	__builtin_memcpy(key.address, end->address, sizeof(key.address));
	return bpf_map_lookup_elem(&networks, &key);
}

/*
 * Who could need a record with this end of its connection: enum network_need. Verified once and not
 * once a caller's way to it (measured for the states of a socket: 60,000 instructions before, 22,000
 * since); with an address as two numbers, as older kernels let no pointer in. Weak: see path.h.
 */
__weak __noinline int network_need(__u64 first, __u64 second, __u32 kind, __u32 family, __u32 port)
{
	struct immune_control *policy = control_get();
	__u64 address[] = { first, second }, terms, *here;
	struct endpoint end = { .address = (void *)address, .family = family, .port = port };
	__u32 slot = policy ? policy->network_slot - 1 : 0, row = kind - IMMUNE_NETWORK_KIND_FIRST;
	struct immune_network_filter *filter = bpf_map_lookup_elem(&network_filters, &slot);
	bool of_networks;

	if (!filter || row >= IMMUNE_NETWORK_KINDS)
		return NEED_SOME;
	if (filter->listed >> kind & 1 && address_listed(filter, &end))
		return NEED_NAMED;
	terms = filter->terms[row] & filter->class_terms[filter->port_classes[end.port]];
	of_networks = filter->listed_networks >> kind & 1;
	/* The dearest look comes last, and only where it can change something. */
	if (terms || of_networks) {
		here = network_terms(slot, &end);
		/* Not whole: its networks are just being written, or it is another family. */
		if (!here)
			return NEED_SOME;
		if (of_networks && *here & IMMUNE_TERM_LISTED)
			return NEED_NAMED;
		terms &= *here;
	}
	if (terms & filter->named)
		return NEED_NAMED;
	return terms || filter->every >> kind & 1 ? NEED_SOME : NEED_NONE;
}

/* What becomes of a record. */
static __always_inline __u32 record_need(const struct immune_record_header *header,
					 const struct endpoint *end)
{
	__u64 address[2];
	__u32 need;

	__builtin_memcpy(address, end->address, sizeof(address));
	need = network_need(address[0], address[1], header->kind, end->family, end->port);
	/* What an AI workload does is its story, whether or not a rule asks. */
	return need == NEED_NONE && (header->role || header->session) ? NEED_SOME : need;
}

/* Sends a record of a connection, or counts it as filtered. */
static __always_inline void network_send(struct immune_record_header *header, __u64 length,
					 struct immune_tally *tally, const struct endpoint *end,
					 bool awaited)
{
	struct immune_control *policy = control_get();
	__u32 need = NEED_SOME;

	if (policy && policy->network_slot)
		need = record_need(header, end);
	if (need == NEED_NONE && policy && policy->network_filtered)
		count_one(tally, filtered);
	else if (need != NEED_NAMED && rate_folds(header))
		count_one(tally, folded);
	else
		record_put(&bulk, header, length, tally, IMMUNE_STREAM_BULK, awaited);
}

#endif
