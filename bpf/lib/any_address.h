/* SPDX-License-Identifier: MIT */
/*
 * A destination of all zeros leads somewhere: the kernel puts an address of the host in its place,
 * behind the hooks (ip_route_output_key() of net/ipv4, tcp_v6_connect() and udpv6_sendmsg() of
 * net/ipv6). Programs that judge or tell a destination put it there before.
 */
#ifndef IMMUNE_ANY_ADDRESS_H
#define IMMUNE_ANY_ADDRESS_H

#include "socket.h"

#define IMMUNE_LOOPBACK_IPV4 0x7f000001

static __always_inline bool address_is_any(const __u32 words[4])
{
	return !(words[0] | words[1] | words[2] | words[3]);
}

/* The kernel's own structure of a socket, to read what the verifier shows nobody. */
static __always_inline struct sock *sock_of(struct bpf_sock_addr *context)
{
	struct bpf_sock *shown = context->sk;
	struct sock *socket = NULL;

	/* A copy by the helper is a number to the verifier, which lets nobody count on `shown`. */
	bpf_probe_read_kernel(&socket, sizeof(socket), &shown);
	return socket;
}

/*
 * IPv4 leads to the own address that the datagram brings or the socket has, else to the loopback. An
 * IPv6 socket that is bound to an IPv4-mapped address is led to the IPv4 loopback.
 */
static __always_inline void any_resolve(__u32 words[4], __u16 *family, struct sock *socket,
					__u32 brought)
{
	struct inet_sock *inet = (void *)socket;
	__u16 own_family = IMMUNE_FAMILY_IPV6;
	__u32 own[4] = {};

	if (*family == IMMUNE_FAMILY_IPV4) {
		words[0] = brought ? brought : BPF_CORE_READ(inet, inet_saddr);
	} else {
		struct in6_addr bound;

		BPF_CORE_READ_INTO(&bound, socket, __sk_common.skc_v6_rcv_saddr);
		__builtin_memcpy(own, &bound, sizeof(own));
		if (!address_normalise(own, &own_family)) {
			words[3] = bpf_htonl(1);
			return;
		}
		*family = IMMUNE_FAMILY_IPV4;
	}
	if (!words[0])
		words[0] = bpf_htonl(IMMUNE_LOOPBACK_IPV4);
}

#endif
