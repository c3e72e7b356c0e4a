/* SPDX-License-Identifier: MIT */
/* Receivers of datagrams that name them: each is told once, and looked at once a filter. */
#ifndef IMMUNE_SENT_H
#define IMMUNE_SENT_H

#include "socket.h"

/* A socket and somebody whom it sent datagrams to. */
struct sent_key {
	__u64 cookie;
	__u32 address[4]; /* as the caller gave it */
	__u32 port;
	__u32 family;
};

/* Bit 0 of a value of `sent`: it was told. The others: the filter that decided. */
#define IMMUNE_SENT_TOLD 1u

/* Those that were sent to last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_SENT_MAX);
	__type(key, struct sent_key);
	__type(value, __u32);
} sent SEC(".maps") __weak;

static __always_inline void sent_key_fill(struct sent_key *key, struct bpf_sock_addr *context,
					  bool ipv6)
{
	key->cookie = bpf_get_socket_cookie(context);
	key->port = context->user_port;
	key->family = ipv6 ? IMMUNE_FAMILY_IPV6 : IMMUNE_FAMILY_IPV4;
	if (!ipv6) {
		key->address[0] = context->user_ip4;
	} else {
		key->address[0] = context->user_ip6[0];
		key->address[1] = context->user_ip6[1];
		key->address[2] = context->user_ip6[2];
		key->address[3] = context->user_ip6[3];
	}
}

/*
 * Whether a socket sends to this receiver for the first time since the filter is another one, as far
 * as is remembered; `told`: it was told before.
 */
static __always_inline bool is_first(const struct sent_key *key, __u32 now, bool *told)
{
	__u32 *known = bpf_map_lookup_elem(&sent, key);

	*told = false;
	/* Looked up first: an update takes a place from another one before it looks. Of two CPUs the
	 * later one tells nothing. */
	if (!known)
		return map_put(&sent, key, &now, BPF_NOEXIST) != -IMMUNE_EEXIST;
	if ((*known | IMMUNE_SENT_TOLD) == (now | IMMUNE_SENT_TOLD))
		return false;
	*told = *known & IMMUNE_SENT_TOLD;
	*known = now | (*told ? IMMUNE_SENT_TOLD : 0);
	return true;
}

/* Remembers that a receiver was told; its entry may be another one's by then, and is found again. */
static __always_inline void sent_tell(const struct sent_key *key, __u32 now)
{
	__u32 *known = bpf_map_lookup_elem(&sent, key);

	if (known)
		*known = now | IMMUNE_SENT_TOLD;
}

#endif
