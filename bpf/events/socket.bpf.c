// SPDX-License-Identifier: MIT
/*
 * connect and bind, at the cgroup hooks: below the system call, so that TCP Fast Open, io_uring and
 * MPTCP are seen too, and the address is the kernel's copy. Always allow.
 */
#include "need.h"
#include "owner.h"

struct socket_record {
	struct immune_record_header header;
	struct immune_connect_body body;
};

_Static_assert(sizeof(struct immune_connect_body) == sizeof(struct immune_bind_body), "one body");

static __always_inline void address_fill(struct socket_record *record,
					 struct bpf_sock_addr *context, bool ipv6)
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

static __always_inline int on_address(struct bpf_sock_addr *context, __u32 kind, bool ipv6)
{
	struct immune_tally *tally = tally_of(kind);
	struct socket_record record = {};
	struct endpoint end = { .address = record.body.address };

	if (kind == IMMUNE_KIND_CONNECT)
		asker_note(context);
	if (!kind_wanted(tally, kind))
		return IMMUNE_ALLOW;
	header_fill_current(&record.header, kind);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.port = bpf_ntohs(context->user_port);
	record.body.protocol = context->protocol;
	record.body.socket_type = context->type;
	address_fill(&record, context, ipv6);
	end.family = record.body.family;
	end.port = record.body.port;
	network_send(&record.header, sizeof(record), tally, &end, kind == IMMUNE_KIND_CONNECT);
	return IMMUNE_ALLOW;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context)
{
	return on_address(context, IMMUNE_KIND_CONNECT, false);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context)
{
	return on_address(context, IMMUNE_KIND_CONNECT, true);
}

SEC("cgroup/bind4")
int on_bind4(struct bpf_sock_addr *context)
{
	return on_address(context, IMMUNE_KIND_BIND, false);
}

SEC("cgroup/bind6")
int on_bind6(struct bpf_sock_addr *context)
{
	return on_address(context, IMMUNE_KIND_BIND, true);
}

/* Attached with the DNS programs: a datagram that names its receiver itself. */
SEC("cgroup/sendmsg4")
int on_send4(struct bpf_sock_addr *context)
{
	asker_note(context);
	return IMMUNE_ALLOW;
}

SEC("cgroup/sendmsg6")
int on_send6(struct bpf_sock_addr *context)
{
	asker_note(context);
	return IMMUNE_ALLOW;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
