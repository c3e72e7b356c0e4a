/* SPDX-License-Identifier: MIT */
/* Who listens by which socket, and whose a connection is. */
#ifndef IMMUNE_CONNECTION_H
#define IMMUNE_CONNECTION_H

#include "owner.h"
#include "socket.h"

/* States of include/net/tcp_states.h. */
enum tcp_state {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_FIN_WAIT1 = 4,
	STATE_CLOSE = 7,
	STATE_LISTEN = 10,
};

/* The socket that the kernel made last on a CPU for who came, and the one that listened for it. */
struct immune_arrival {
	__u64 socket; /* 0 = none */
	__u64 listener;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_arrival);
} arrivals SEC(".maps") __weak;

/*
 * The socket that listened for one that came, by its address. The new one is a copy at that moment,
 * and its list of what was sent, empty as that of all who listen, still names the list that it was
 * copied from. So it is the right one of several on a port, which no address could tell.
 */
static __always_inline __u64 listener_of(const struct sock *socket)
{
	const struct tcp_sock *tcp = (const void *)socket;

	if (!bpf_core_field_exists(tcp->tsorted_sent_queue))
		return 0;
	return (__u64)BPF_CORE_READ(tcp, tsorted_sent_queue.next) -
	       bpf_core_field_offset(tcp->tsorted_sent_queue);
}

/*
 * Whether a socket listens for connections that bring data at once (TCP Fast Open). Its copy for
 * who came does not say so everywhere (seen: not on Linux 6.18).
 */
static __always_inline bool listener_is_fast(__u64 listener)
{
	const struct inet_connection_sock *connection = (const void *)listener;

	return BPF_CORE_READ(connection, icsk_accept_queue.fastopenq.max_qlen) > 0;
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

/* Puts the owner of a socket down in `listeners` or `connections`; a full map is counted. */
static __always_inline void owner_put(void *map, const struct sock *socket,
				      struct immune_owner *owner, __u64 flags)
{
	struct immune_tally *tally = tally_of(IMMUNE_TALLY_CONNECTIONS);
	__u64 key = (__u64)socket;
	int error = map_put(map, &key, owner, flags);

	count_one(tally, seen);
	if (!error)
		count_one(tally, submitted);
	else if (error == -IMMUNE_EEXIST /* the hook was faster */)
		count_one(tally, filtered);
	else
		count_one(tally, ring_full);
}

/*
 * A socket was copied for who came. It is confirmed in the same breath, on the same CPU, and its
 * peer is not in it yet; but with Fast Open, where that happens packets later and anywhere. What is
 * known of its address is of an older socket, whose end was missed.
 */
static __always_inline void arrival_note(const struct sock *socket)
{
	struct immune_arrival *arrival;
	struct immune_owner owner = {};
	struct immune_owner *listener;
	__u64 key = listener_of(socket), own = (__u64)socket;
	__u32 zero = 0;

	if (!listener_is_fast(key ? key : own)) {
		bpf_map_delete_elem(&connections, &own);
		arrival = bpf_map_lookup_elem(&arrivals, &zero);
		if (arrival) {
			arrival->socket = (__u64)socket;
			arrival->listener = key;
		}
		return;
	}
	listener = bpf_map_lookup_elem(&listeners, &key);
	if (listener)
		owner = *listener;
	owner.state = IMMUNE_CONNECTION_ARRIVED;
	owner_put(&connections, socket, &owner, BPF_ANY);
}

/* Who listened for a socket that a program has taken before it is confirmed; NULL: it is none. */
static __always_inline struct immune_owner *arrival_taken(const struct sock *socket)
{
	__u64 key = (__u64)socket;
	struct immune_owner *known = bpf_map_lookup_elem(&connections, &key);

	if (!known || known->state != IMMUNE_CONNECTION_ARRIVED || !socket->sk_socket)
		return NULL;
	return known;
}

/* Who listened for a socket that is confirmed now; NULL when nobody knows. */
static __always_inline struct immune_owner *arrival_take(const struct sock *socket)
{
	__u32 zero = 0;
	struct immune_arrival *arrival = bpf_map_lookup_elem(&arrivals, &zero);
	__u64 listener;

	if (!arrival || arrival->socket != (__u64)socket)
		return NULL;
	listener = arrival->listener;
	arrival->socket = 0;
	return bpf_map_lookup_elem(&listeners, &listener);
}

#endif
