// SPDX-License-Identifier: MIT
/*
 * Sockets whose connects, binds or datagrams nobody is asked about later (unseen.h), when they are made:
 * socket(2) gives EPERM. Their addresses are not known by then, so what an entry says of address and
 * port counts as held where it blocks, and as not held where it only tells.
 */
#include "unseen.h"
#include "verdict.h"

/* Return values of a cgroup program. */
#define IMMUNE_REFUSE 0

static __always_inline bool refuses(struct bpf_sock *context, __u32 action)
{
	__u32 protocol = context->protocol;
	__u32 words[4] = {};
	struct immune_act act;

	if (!act_begin(&act, action, IMMUNE_TIER_CGROUP))
		return false;
	act.entries &= act.policy->blocking | ~(act.policy->by_address | act.policy->by_port);
	judge_protocol(&act, protocol);
	if (!act.entries)
		return false;
	judge_actor(&act, false);
	return act.entries &&
	       outcome_refuses(verdict_address(&act, words, context->family, 0, protocol,
					       context->type, IMMUNE_FLAG_UNRESOLVED));
}

SEC("cgroup/sock_create")
int refuse_socket(struct bpf_sock *context)
{
	if (!socket_unseen(context))
		return IMMUNE_ALLOW;
	return refuses(context, IMMUNE_ACTION_CONNECT) ||
			       (bind_unseen(context) && refuses(context, IMMUNE_ACTION_BIND))
		       ? IMMUNE_REFUSE
		       : IMMUNE_ALLOW;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
