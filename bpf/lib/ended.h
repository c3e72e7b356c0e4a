/* SPDX-License-Identifier: MIT */
/* What the socket of a connection still has when that ends. */
#ifndef IMMUNE_ENDED_H
#define IMMUNE_ENDED_H

#include "socket.h"

/* The kernel counts the peer's end of stream (FIN) as one byte; it marks the socket then. */
static __always_inline __u64 stream_received(const struct sock *socket, const struct tcp_sock *tcp)
{
	__u64 bytes = BPF_CORE_READ(tcp, bytes_received);
	__u64 ended = socket->__sk_common.skc_flags >> SOCK_DONE & 1;

	return bytes > ended ? bytes - ended : 0;
}

/* The own port of a connection, also at its end: the socket has given back its number by then. */
static __always_inline __u16 connection_port(const struct sock *socket)
{
	const struct inet_sock *internet = (const void *)socket;

	return bpf_ntohs(BPF_CORE_READ(internet, inet_sport));
}

#endif
