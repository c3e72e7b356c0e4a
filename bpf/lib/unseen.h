/* SPDX-License-Identifier: MIT */
/*
 * Protocols whose sockets meet no hook when they connect or send: UDP-Lite, SCTP, DCCP, ping, L2TP/IP.
 * They have functions of their own where those of TCP and UDP ask the cgroup programs, so they are
 * looked at when they are made.
 */
#ifndef IMMUNE_UNSEEN_H
#define IMMUNE_UNSEEN_H

#include "socket.h"

#define IMMUNE_PROTOCOL_UDPLITE 136
#define IMMUNE_PROTOCOL_MPTCP 262
/* SOCK_RAW of include/linux/net.h. */
#define IMMUNE_SOCKET_RAW 3

/* Raw sockets need a capability, and are stated as a limit (specs/enforcement.md). */
static __always_inline bool socket_unseen(struct bpf_sock *context)
{
	__u32 protocol = context->protocol;

	return protocol != IMMUNE_PROTOCOL_TCP && protocol != IMMUNE_PROTOCOL_UDP &&
	       protocol != IMMUNE_PROTOCOL_MPTCP && context->type != IMMUNE_SOCKET_RAW;
}

/* UDP-Lite is bound by what all have in common, which asks; the others by functions of their own. */
static __always_inline bool bind_unseen(struct bpf_sock *context)
{
	return context->protocol != IMMUNE_PROTOCOL_UDPLITE;
}

#endif
