// SPDX-License-Identifier: MIT
/*
 * connect and bind, at the cgroup hooks: below the system call, so that TCP Fast Open, io_uring and
 * MPTCP are seen too, and the address is the kernel's copy. Always allow.
 */
#include <bpf/bpf_endian.h>

#include "record.h"

#define IMMUNE_FAMILY_IPV4 2
#define IMMUNE_FAMILY_IPV6 10
/* Return value of a cgroup program that lets the call go on. */
#define IMMUNE_ALLOW 1

struct socket_record {
	struct immune_record_header header;
	struct immune_connect_body body;
};

_Static_assert(sizeof(struct immune_connect_body) == sizeof(struct immune_bind_body), "one body");

/* An IPv4-mapped address (RFC 4291, 2.5.5.2) becomes what it means, and is flagged. */
static __always_inline void address_fill(struct socket_record *record,
					 struct bpf_sock_addr *context, bool ipv6)
{
	__u32 words[4] = {};

	record->body.family = IMMUNE_FAMILY_IPV4;
	if (!ipv6) {
		words[0] = context->user_ip4;
	} else {
		words[0] = context->user_ip6[0];
		words[1] = context->user_ip6[1];
		words[2] = context->user_ip6[2];
		words[3] = context->user_ip6[3];
		if (!words[0] && !words[1] && words[2] == bpf_htonl(0x0000ffff)) {
			words[0] = words[3];
			words[2] = words[3] = 0;
			record->header.flags |= IMMUNE_FLAG_MAPPED;
		} else {
			record->body.family = IMMUNE_FAMILY_IPV6;
		}
	}
	__builtin_memcpy(record->body.address, words, sizeof(words));
}

static __always_inline int on_address(struct bpf_sock_addr *context, __u32 kind, bool ipv6)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct immune_tally *tally = tally_of(kind);
	struct socket_record record = {};

	if (!kind_wanted(tally, kind))
		return IMMUNE_ALLOW;
	header_fill(&record.header, task, kind);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.port = bpf_ntohs(context->user_port);
	record.body.protocol = context->protocol;
	record.body.socket_type = context->type;
	address_fill(&record, context, ipv6);
	record_send(&bulk, &record.header, sizeof(record), tally, IMMUNE_STREAM_BULK,
		    kind == IMMUNE_KIND_CONNECT);
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

char LICENSE[] SEC("license") = "Dual MIT/GPL";
