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
static __always_inline __u16 socket_address(const struct sock *socket, bool peer, __u8 out[16],
					    __u32 *flags)
{
	__u16 family = BPF_CORE_READ(socket, __sk_common.skc_family);
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
		words[0] = peer ? BPF_CORE_READ(socket, __sk_common.skc_daddr)
				: BPF_CORE_READ(socket, __sk_common.skc_rcv_saddr);
	}
	__builtin_memcpy(out, words, sizeof(words));
	return family;
}

static __always_inline __u16 socket_port(const struct sock *socket)
{
	return BPF_CORE_READ(socket, __sk_common.skc_num);
}

static __always_inline __u16 socket_peer_port(const struct sock *socket)
{
	return bpf_ntohs(BPF_CORE_READ(socket, __sk_common.skc_dport));
}

#endif
