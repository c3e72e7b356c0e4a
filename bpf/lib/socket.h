/* SPDX-License-Identifier: MIT */
/* Addresses of sockets. */
#ifndef IMMUNE_SOCKET_H
#define IMMUNE_SOCKET_H

#include <bpf/bpf_endian.h>

#include "record.h"

#define IMMUNE_FAMILY_IPV4 2
#define IMMUNE_FAMILY_IPV6 10
#define IMMUNE_PROTOCOL_TCP 6
#define IMMUNE_PROTOCOL_UDP 17
#define IMMUNE_DNS_PORT 53
/* Return value of a cgroup program that lets the call or the packet go on. */
#define IMMUNE_ALLOW 1

/* An IPv4-mapped address (RFC 4291, 2.5.5.2) becomes what it means; its flag, or 0. */
static __always_inline __u32 address_normalise(__u32 words[4], __u16 *family)
{
	if (*family != IMMUNE_FAMILY_IPV6 || words[0] || words[1] ||
	    words[2] != bpf_htonl(0x0000ffff))
		return 0;
	words[0] = words[3];
	words[2] = words[3] = 0;
	*family = IMMUNE_FAMILY_IPV4;
	return IMMUNE_FLAG_MAPPED;
}

/* Reads the local or the peer's address of a socket, as records have it; its family, flags added. */
static __always_inline __u16 socket_address(const struct sock *socket, bool typed, bool peer,
					    __u8 out[16], __u32 *flags)
{
	__u16 family = READ(typed, socket, __sk_common.skc_family);
	__u32 words[4] = {};

	if (family == IMMUNE_FAMILY_IPV6) {
		struct in6_addr address;

		if (peer)
			BPF_CORE_READ_INTO(&address, socket, __sk_common.skc_v6_daddr);
		else
			BPF_CORE_READ_INTO(&address, socket, __sk_common.skc_v6_rcv_saddr);
		__builtin_memcpy(words, &address, sizeof(words));
		*flags |= address_normalise(words, &family);
	} else {
		words[0] = peer ? READ(typed, socket, __sk_common.skc_daddr)
				: READ(typed, socket, __sk_common.skc_rcv_saddr);
	}
	__builtin_memcpy(out, words, sizeof(words));
	return family;
}

/* Whether an IPv4 address (network order) is in `network`/`bits`, both in host order. */
static __always_inline bool in_ipv4(__u32 address, __u32 network, __u32 bits)
{
	return bpf_ntohl(address) >> (32 - bits) == network >> (32 - bits);
}

/*
 * Loopback, link-local, private and carrier-grade addresses (RFC 1122, 3927, 1918, 6598; RFC 4291,
 * 4193): the networks of common/sigma/public_peers.ts.
 */
static __always_inline bool address_is_private(const __u8 bytes[16], __u16 family)
{
	__u32 words[4];

	__builtin_memcpy(words, bytes, sizeof(words));
	if (family == IMMUNE_FAMILY_IPV6)
		return (!words[0] && !words[1] && !words[2] && words[3] == bpf_htonl(1)) ||
		       (bytes[0] & 0xfe) == 0xfc ||
		       (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
	return in_ipv4(words[0], 0x7f000000, 8) || in_ipv4(words[0], 0x0a000000, 8) ||
	       in_ipv4(words[0], 0xac100000, 12) || in_ipv4(words[0], 0xc0a80000, 16) ||
	       in_ipv4(words[0], 0xa9fe0000, 16) || in_ipv4(words[0], 0x64400000, 10);
}

static __always_inline __u16 socket_port(const struct sock *socket, bool typed)
{
	return READ(typed, socket, __sk_common.skc_num);
}

static __always_inline __u16 socket_peer_port(const struct sock *socket, bool typed)
{
	return bpf_ntohs(READ(typed, socket, __sk_common.skc_dport));
}

#endif
