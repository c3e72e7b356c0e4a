// SPDX-License-Identifier: MIT
/*
 * connect and bind, by LSM: the call gives EPERM. A datagram that names its receiver itself and TCP
 * Fast Open never come here: the cgroup programs, which stay attached beside these, see those of TCP
 * and UDP, and the making of sockets of other protocols, whose datagrams nobody is asked about.
 */
#include "any_address.h"
#include "verdict.h"

static __always_inline bool judge_call(struct immune_act *act, struct socket *socket,
				       struct sockaddr *given, int length, __u32 action)
{
	__u16 family = BPF_CORE_READ(given, sa_family), port;
	__u32 words[4] = {}, flags = 0, protocol, type;

	if (!act_begin(act, action, IMMUNE_TIER_LSM))
		return false;
	if (family == IMMUNE_FAMILY_IPV6 && length >= 24 /* SIN6_LEN_RFC2133 */) {
		struct sockaddr_in6 *address = (void *)given;
		struct in6_addr bytes;

		BPF_CORE_READ_INTO(&bytes, address, sin6_addr);
		__builtin_memcpy(words, &bytes, sizeof(words));
		port = bpf_ntohs(BPF_CORE_READ(address, sin6_port));
		flags = address_normalise(words, &family);
	} else if (family == IMMUNE_FAMILY_IPV4 && length >= (int)sizeof(struct sockaddr_in)) {
		struct sockaddr_in *address = (void *)given;

		words[0] = BPF_CORE_READ(address, sin_addr.s_addr);
		port = bpf_ntohs(BPF_CORE_READ(address, sin_port));
	} else {
		return false;
	}
	if (action == IMMUNE_ACTION_CONNECT && address_is_any(words))
		any_resolve(words, &family, BPF_CORE_READ(socket, sk), 0);
	protocol = BPF_CORE_READ(socket, sk, sk_protocol);
	type = BPF_CORE_READ(socket, type);
	judge_actor(act, false);
	if (act->entries)
		judge_address(act, words, family, port, protocol);
	return act->entries &&
	       outcome_refuses(verdict_address(act, words, family, port, protocol, type, flags));
}

SEC("lsm/socket_connect")
int BPF_PROG(refuse_connect, struct socket *socket, struct sockaddr *address, int length, int before)
{
	struct immune_act act;

	if (before || !judge_call(&act, socket, address, length, IMMUNE_ACTION_CONNECT))
		return 0;
	asm volatile("" ::: "memory"); /* as in exec_lsm.bpf.c */
	return -IMMUNE_EPERM;
}

SEC("lsm/socket_bind")
int BPF_PROG(refuse_bind, struct socket *socket, struct sockaddr *address, int length, int before)
{
	struct immune_act act;

	if (before || !judge_call(&act, socket, address, length, IMMUNE_ACTION_BIND))
		return 0;
	asm volatile("" ::: "memory"); /* as in exec_lsm.bpf.c */
	return -IMMUNE_EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
