/* SPDX-License-Identifier: MIT */
/*
 * Which records of connections a rule or an indicator could need, as the loader gives it to the
 * programs. Include <linux/types.h> (user space) or vmlinux.h (BPF) first.
 *
 * What a rule asks of address and port is a few terms, one bit each. A record's terms are those that
 * its kind, its port and the smallest network of its address have in common, whatever the number of
 * rules. common/sigma/network_filter.ts makes them, specs/sensor_filter.md has the contract.
 */
#ifndef IMMUNE_NETWORK_FILTER_H
#define IMMUNE_NETWORK_FILTER_H

/* Kinds from the first one with an address on: connect, bind, open (which has none), listen, ... */
#define IMMUNE_NETWORK_KIND_FIRST 16
#define IMMUNE_NETWORK_KINDS 6
#define IMMUNE_PORT_COUNT 65536
#define IMMUNE_PORT_CLASSES_MAX 256
/* Networks that rules name, and as many that are listed; twice, for the filter being written. */
#define IMMUNE_FILTER_NETWORKS_MAX 8192
/* Listed addresses that one Bloom map holds, and how many hashes it takes of each. */
#define IMMUNE_LISTED_MAX 262144
#define IMMUNE_LISTED_HASHES 5

/* The bit of addresses that are in a listed network. */
#define IMMUNE_TERM_LISTED (1ull << 63)

/* A value of `network_filters`; the one in force is never written. */
struct immune_network_filter {
	__u64 terms[IMMUNE_NETWORK_KINDS]; /* of each kind */
	__u64 named; /* terms that ask for a few ports or networks: no limit on what they hold for */
	__u64 class_terms[IMMUNE_PORT_CLASSES_MAX];
	__u32 every; /* bit k: kind k is needed, whatever its address */
	__u32 listed; /* bit k: addresses of kind k may be in the Bloom map */
	__u32 listed_networks; /* bit k: ... or in a network with IMMUNE_TERM_LISTED */
	__u32 listed_any; /* 1: there is no Bloom map of them, so that any may be */
	__u8 port_classes[IMMUNE_PORT_COUNT];
};

/* Key of `networks`. */
struct immune_network_key {
	__u32 bits; /* that count of what follows */
	__u32 slot;
	__u32 family; /* host byte order */
	__u8 address[16];
};

/* Bits of a key before its address. */
#define IMMUNE_NETWORK_KEY_BITS 64

/* What a Bloom map of `listed` has: the end of a key of `networks`. */
struct immune_listed {
	__u32 family;
	__u8 address[16];
};

_Static_assert(sizeof(struct immune_network_filter) == 8 * 7 + 8 * 256 + 16 + 65536, "filter");
_Static_assert(sizeof(struct immune_network_key) == 28, "immune_network_key");
_Static_assert(sizeof(struct immune_listed) == 20, "immune_listed");

#endif
