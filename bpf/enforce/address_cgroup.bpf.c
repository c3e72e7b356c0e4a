// SPDX-License-Identifier: MIT
/*
 * connect, bind and datagrams, at the cgroup hooks: below the system call, where TCP Fast Open,
 * io_uring and MPTCP come through as well. The call gives EPERM, and no packet was made.
 */
#include "any_address.h"
#include "verdict.h"

/* Return values of a cgroup program. */
#define IMMUNE_REFUSE 0

/* `from`: the own address that a datagram brings, or 0. */
static __always_inline int judge_context(struct bpf_sock_addr *context, __u32 action, bool ipv6,
					 __u32 from)
{
	__u16 family = ipv6 ? IMMUNE_FAMILY_IPV6 : IMMUNE_FAMILY_IPV4;
	__u16 port = bpf_ntohs(context->user_port);
	__u32 words[4] = {}, flags = 0;
	struct immune_act act;

	if (!act_begin(&act, action, IMMUNE_TIER_CGROUP))
		return IMMUNE_ALLOW;
	if (!ipv6) {
		words[0] = context->user_ip4;
	} else {
		words[0] = context->user_ip6[0];
		words[1] = context->user_ip6[1];
		words[2] = context->user_ip6[2];
		words[3] = context->user_ip6[3];
		flags = address_normalise(words, &family);
	}
	if (action == IMMUNE_ACTION_CONNECT && address_is_any(words))
		any_resolve(words, &family, sock_of(context), from);
	/* The cheaper part first: most connections are to nothing that is named. */
	judge_address(&act, words, family, port, context->protocol);
	if (!act.entries)
		return IMMUNE_ALLOW;
	judge_actor(&act, false);
	if (!act.entries)
		return IMMUNE_ALLOW;
	return outcome_refuses(verdict_address(&act, words, family, port, context->protocol,
					       context->type, flags))
		       ? IMMUNE_REFUSE
		       : IMMUNE_ALLOW;
}

SEC("cgroup/connect4")
int refuse_connect4(struct bpf_sock_addr *context)
{
	return judge_context(context, IMMUNE_ACTION_CONNECT, false, 0);
}

SEC("cgroup/connect6")
int refuse_connect6(struct bpf_sock_addr *context)
{
	return judge_context(context, IMMUNE_ACTION_CONNECT, true, 0);
}

SEC("cgroup/sendmsg4")
int refuse_send4(struct bpf_sock_addr *context)
{
	return judge_context(context, IMMUNE_ACTION_CONNECT, false, context->msg_src_ip4);
}

SEC("cgroup/sendmsg6")
int refuse_send6(struct bpf_sock_addr *context)
{
	return judge_context(context, IMMUNE_ACTION_CONNECT, true, 0);
}

SEC("cgroup/bind4")
int refuse_bind4(struct bpf_sock_addr *context)
{
	return judge_context(context, IMMUNE_ACTION_BIND, false, 0);
}

SEC("cgroup/bind6")
int refuse_bind6(struct bpf_sock_addr *context)
{
	return judge_context(context, IMMUNE_ACTION_BIND, true, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
