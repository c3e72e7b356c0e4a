// SPDX-License-Identifier: MIT
/*
 * connect, bind and datagrams that name their receiver, at the cgroup hooks: below the system call, so
 * that TCP Fast Open, io_uring and MPTCP are seen too, and the address is the kernel's copy. Always
 * allow.
 */
#include "any_address.h"
#include "need.h"
#include "owner.h"
#include "sent.h"

/* First port of those that Linux gives to who chose none (ip_local_port_range, as it is by default). */
#define IMMUNE_EPHEMERAL_PORT 32768

struct socket_record {
	struct immune_record_header header;
	struct immune_connect_body body;
};

_Static_assert(sizeof(struct immune_connect_body) == sizeof(struct immune_bind_body), "one body");

/* `from`: the own address that a datagram brings, or 0. */
static __always_inline void address_fill(struct socket_record *record,
					 struct bpf_sock_addr *context, bool ipv6, __u32 from)
{
	__u32 words[4] = {};

	record->body.family = ipv6 ? IMMUNE_FAMILY_IPV6 : IMMUNE_FAMILY_IPV4;
	if (!ipv6) {
		words[0] = context->user_ip4;
	} else {
		words[0] = context->user_ip6[0];
		words[1] = context->user_ip6[1];
		words[2] = context->user_ip6[2];
		words[3] = context->user_ip6[3];
		record->header.flags |= address_normalise(words, &record->body.family);
	}
	if (record->header.kind == IMMUNE_KIND_CONNECT && address_is_any(words))
		any_resolve(words, &record->body.family, sock_of(context), from);
	__builtin_memcpy(record->body.address, words, sizeof(words));
}

/* Puts down who asks a DNS server: the packets themselves come in the middle of anybody. */
static __always_inline void asker_note(struct bpf_sock_addr *context)
{
	struct immune_control *policy = control_get();
	struct immune_owner owner = {};
	__u64 cookie;

	if (context->user_port != bpf_htons(IMMUNE_DNS_PORT) || !policy ||
	    !((policy->kind_mask >> IMMUNE_KIND_DNS) & 1))
		return;
	cookie = bpf_get_socket_cookie(context);
	owner_fill_current(&owner);
	bpf_map_update_elem(&askers, &cookie, &owner, BPF_ANY);
}

/* Whether a record was sent. */
static __always_inline bool on_address(struct bpf_sock_addr *context, __u32 kind, bool ipv6,
				       bool only_named, __u32 from)
{
	struct immune_tally *tally = tally_of(kind);
	struct socket_record record = {};
	struct endpoint end = { .address = record.body.address };

	if (!kind_wanted(tally, kind))
		return false;
	header_fill_current(&record.header, kind);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.port = bpf_ntohs(context->user_port);
	record.body.protocol = context->protocol;
	record.body.socket_type = context->type;
	address_fill(&record, context, ipv6, from);
	end.family = record.body.family;
	end.port = record.body.port;
	if (only_named && !network_named(&record.header, &end)) {
		count_one(tally, filtered);
		return false;
	}
	return network_send(&record.header, sizeof(record), tally, &end,
			    kind == IMMUNE_KIND_CONNECT);
}

static __always_inline int on_connect(struct bpf_sock_addr *context, bool ipv6)
{
	asker_note(context);
	on_address(context, IMMUNE_KIND_CONNECT, ipv6, false, 0);
	return IMMUNE_ALLOW;
}

/*
 * A datagram that names its receiver itself: a connect, once a receiver. What goes out by a port that
 * somebody chose answers, mostly, and would make each client of a server a destination of it: so
 * of that only those are told whom a rule or an indicator names. With another filter or list each
 * receiver is looked at again; one that was told is then told only if it is named.
 */
static __always_inline int on_datagram(struct bpf_sock_addr *context, bool ipv6, __u32 from)
{
	struct immune_control *policy = control_get();
	struct sent_key key = {};
	__u32 now;
	bool told;

	asker_note(context);
	if (!policy || !((policy->kind_mask >> IMMUNE_KIND_CONNECT) & 1))
		return IMMUNE_ALLOW;
	sent_key_fill(&key, context, ipv6);
	now = policy->network_generation << 1;
	if (!is_first(&key, now, &told))
		return IMMUNE_ALLOW;
	if (on_address(context, IMMUNE_KIND_CONNECT, ipv6,
		       told || context->sk->src_port < IMMUNE_EPHEMERAL_PORT, from))
		sent_tell(&key, now);
	return IMMUNE_ALLOW;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context)
{
	return on_connect(context, false);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context)
{
	return on_connect(context, true);
}

SEC("cgroup/bind4")
int on_bind4(struct bpf_sock_addr *context)
{
	on_address(context, IMMUNE_KIND_BIND, false, false, 0);
	return IMMUNE_ALLOW;
}

SEC("cgroup/bind6")
int on_bind6(struct bpf_sock_addr *context)
{
	on_address(context, IMMUNE_KIND_BIND, true, false, 0);
	return IMMUNE_ALLOW;
}

/* Attached while connects or DNS are wanted. */
SEC("cgroup/sendmsg4")
int on_send4(struct bpf_sock_addr *context)
{
	return on_datagram(context, false, context->msg_src_ip4);
}

SEC("cgroup/sendmsg6")
int on_send6(struct bpf_sock_addr *context)
{
	return on_datagram(context, true, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
