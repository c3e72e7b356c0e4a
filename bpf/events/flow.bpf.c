// SPDX-License-Identifier: MIT
/*
 * TCP connections as the kernel has them: who listens, who came, what went over a connection until
 * its end. Attached while a policy wants one of these kinds.
 */
#include "connection.h"
#include "ended.h"
#include "need.h"

struct accept_record {
	struct immune_record_header header;
	struct immune_accept_body body;
};

struct flow_record {
	struct immune_record_header header;
	struct immune_flow_body body;
};

struct listen_record {
	struct immune_record_header header;
	struct immune_listen_body body;
};

static __always_inline void on_listen(const struct sock *socket)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_LISTEN);
	struct listen_record record = {};
	struct endpoint end = { .address = record.body.address };
	struct immune_owner owner = {};

	owner_fill_current(&owner);
	owner_put(&listeners, socket, &owner, BPF_ANY);
	if (!kind_wanted(tally, IMMUNE_KIND_LISTEN))
		return;
	header_fill_current(&record.header, IMMUNE_KIND_LISTEN);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.family = socket_address(socket, TYPED, false, record.body.address,
					    &record.header.flags);
	record.body.port = socket_port(socket, TYPED);
	record.body.protocol = IMMUNE_PROTOCOL_TCP;
	record.body.socket_type = 1;
	end.family = record.body.family;
	end.port = record.body.port;
	network_send(&record.header, sizeof(record), tally, &end, false);
}

/* `arrived`: what `connections` has of the socket since it came, or NULL. */
static __always_inline void on_accept(const struct sock *socket, struct immune_owner *arrived)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_ACCEPT);
	struct immune_owner *known = arrived ? arrived : arrival_take(socket);
	struct immune_owner owner = {};
	struct accept_record record = {};
	struct endpoint peer = { .address = record.body.peer_address };

	/* One that nobody is known of is put down too: its end is told as unresolved. */
	if (known)
		owner = *known;
	owner.since_ns = bpf_ktime_get_boot_ns();
	owner.state = IMMUNE_CONNECTION_ACCEPTED;
	owner_put(&connections, socket, &owner, BPF_ANY);
	if (!kind_wanted(tally, IMMUNE_KIND_ACCEPT))
		return;
	header_fill_owner(&record.header, &owner, IMMUNE_KIND_ACCEPT);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.family = socket_address(socket, TYPED, false, record.body.address,
					    &record.header.flags);
	socket_address(socket, TYPED, true, record.body.peer_address, &record.header.flags);
	record.body.port = connection_port(socket);
	record.body.peer_port = socket_peer_port(socket, TYPED);
	record.body.protocol = IMMUNE_PROTOCOL_TCP;
	record.body.socket_type = 1;
	peer.family = record.body.family;
	peer.port = record.body.peer_port;
	network_send(&record.header, sizeof(record), tally, &peer, true);
}

static __always_inline void on_end(const struct sock *socket, int before)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_FLOW);
	const struct tcp_sock *tcp = (const void *)socket;
	__u64 key = (__u64)socket;
	struct immune_owner *owner = bpf_map_lookup_elem(&connections, &key);
	struct flow_record record = {};
	struct endpoint peer = { .address = record.body.address };

	if (owner && (owner->state == IMMUNE_CONNECTION_ASKED ||
		      owner->state == IMMUNE_CONNECTION_ARRIVED)) {
		bpf_map_delete_elem(&connections, &key);
		owner = NULL;
	}
	/* What never was one; whoever is not in the map and had one is told of as unresolved. */
	if (!owner && (before == STATE_SYN_SENT || before == STATE_SYN_RECV ||
		       before == STATE_CLOSE))
		return;
	if (!owner && !peer_wanted(socket)) {
		connection_filter(IMMUNE_KIND_FLOW);
		return;
	}
	if (!kind_wanted(tally, IMMUNE_KIND_FLOW)) {
		bpf_map_delete_elem(&connections, &key);
		return;
	}
	header_fill_owner(&record.header, owner, IMMUNE_KIND_FLOW);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.family = socket_address(socket, TYPED, true, record.body.address,
					    &record.header.flags);
	socket_address(socket, TYPED, false, record.body.local_address, &record.header.flags);
	record.body.port = socket_peer_port(socket, TYPED);
	record.body.local_port = connection_port(socket);
	record.body.protocol = IMMUNE_PROTOCOL_TCP;
	record.body.socket_type = 1;
	/* Bytes of the streams: what was sent again counts once. */
	record.body.bytes_sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
	record.body.bytes_received = stream_received(socket, tcp);
	if (owner) {
		record.body.initiated = owner->state != IMMUNE_CONNECTION_ACCEPTED;
		record.body.duration_ns = record.header.time_ns - owner->since_ns;
		bpf_map_delete_elem(&connections, &key);
	}
	peer.family = record.body.family;
	peer.port = record.body.port;
	network_send(&record.header, sizeof(record), tally, &peer, false);
}

/* With Fast Open a program can end a connection that its peer has not confirmed, or never does. */
static __always_inline void on_early_end(const struct sock *socket)
{
	struct immune_owner *arrived = arrival_taken(socket);

	if (!arrived)
		return;
	if (peer_wanted(socket))
		on_accept(socket, arrived);
	else
		connection_filter(IMMUNE_KIND_ACCEPT);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_socket_state, const struct sock *socket, int before, int after)
{
	struct immune_owner owner = { .state = IMMUNE_CONNECTION_ASKED };
	struct immune_owner *known;
	__u64 key = (__u64)socket;

	/* MPTCP announces its own states too; its subflows are TCP. */
	if (socket->sk_protocol != IMMUNE_PROTOCOL_TCP)
		return 0;
	if (after == STATE_LISTEN) {
		on_listen(socket);
		return 0;
	}
	if (after == STATE_CLOSE && before == STATE_LISTEN) {
		bpf_map_delete_elem(&listeners, &key);
		return 0;
	}
	if (after == STATE_SYN_RECV && before == STATE_LISTEN) {
		arrival_note(socket);
		return 0;
	}
	if (before == STATE_SYN_RECV && (after == STATE_FIN_WAIT1 || after == STATE_CLOSE))
		on_early_end(socket);
	if (after == STATE_CLOSE) {
		on_end(socket, before);
		return 0;
	}
	if (after != STATE_SYN_SENT && after != STATE_ESTABLISHED)
		return 0;
	/* Most connections are between a host's own programs. */
	if (!peer_wanted(socket)) {
		if (before == STATE_SYN_RECV)
			connection_filter(IMMUNE_KIND_ACCEPT);
		else if (after == STATE_SYN_SENT) /* of an older socket at its address */
			bpf_map_delete_elem(&connections, &key);
		return 0;
	}
	if (after == STATE_SYN_SENT) {
		owner_fill_current(&owner);
		owner_put(&connections, socket, &owner, BPF_ANY);
		return 0;
	}
	known = bpf_map_lookup_elem(&connections, &key);
	/* Also when both sides asked at once (RFC 9293, 3.5): it was never listened for. */
	if (known && known->state == IMMUNE_CONNECTION_ASKED)
		known->state = IMMUNE_CONNECTION_MADE;
	else if (before == STATE_SYN_RECV)
		on_accept(socket, known && known->state == IMMUNE_CONNECTION_ARRIVED ? known : NULL);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
