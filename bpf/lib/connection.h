/* SPDX-License-Identifier: MIT */
/* Who listens on which port, and whose a connection is. */
#ifndef IMMUNE_CONNECTION_H
#define IMMUNE_CONNECTION_H

#include "owner.h"
#include "socket.h"

/* States of include/net/tcp_states.h. */
enum tcp_state {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_CLOSE = 7,
	STATE_LISTEN = 10,
};

static __always_inline struct immune_listener_key listener_key(const struct sock *socket, bool typed)
{
	struct immune_listener_key key = {
		.network = READ(typed, socket, __sk_common.skc_net.net, ns.inum),
		.port = socket_port(socket, typed),
	};

	return key;
}

/* Whether the policy wants connections with the peer of a socket, of a hook's argument. */
static __always_inline bool peer_wanted(const struct sock *socket)
{
	struct immune_control *policy = control_get();
	__u8 address[16];
	__u32 flags = 0;
	__u16 family;

	if (!policy || !policy->public_peers)
		return true;
	family = socket_address(socket, TYPED, true, address, &flags);
	return !address_is_private(address, family);
}

/* Counts a connection that the policy does not want. */
static __always_inline void connection_filter(__u32 kind)
{
	struct immune_tally *tally = tally_of(kind);

	count_one(tally, seen);
	count_one(tally, filtered);
}

/* Puts the owner of a socket down; a full map is counted: the connection's end is not told then. */
static __always_inline void connection_put(const struct sock *socket, struct immune_owner *owner,
					   __u64 flags)
{
	struct immune_tally *tally = tally_of(IMMUNE_TALLY_CONNECTIONS);
	__u64 key = (__u64)socket;
	long error = bpf_map_update_elem(&connections, &key, owner, flags);

	count_one(tally, seen);
	if (!error)
		count_one(tally, submitted);
	else if (error == -17 /* EEXIST: the hook was faster */)
		count_one(tally, filtered);
	else
		count_one(tally, ring_full);
}

#endif
