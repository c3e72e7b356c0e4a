/* SPDX-License-Identifier: MIT */
/* DNS messages in packets: IPv4 and IPv6, UDP and TCP. */
#ifndef IMMUNE_PACKET_H
#define IMMUNE_PACKET_H

#include "socket.h"

#define IMMUNE_DNS_HEADER_BYTES 12
/* Of a message's length before it. */
#define IMMUNE_DNS_LENGTH_BYTES 2
/* EtherType of skb->protocol. */
#define IMMUNE_ETHER_IPV4 0x0800
#define IMMUNE_ETHER_IPV6 0x86dd
#define IMMUNE_IPV6_HEADER_BYTES 40
#define IMMUNE_UDP_HEADER_BYTES 8

/* Where a packet has what, and whom it is for. */
struct packet {
	__u32 transport; /* offset of its UDP or TCP header */
	__u32 payload; /* offset of the first message */
	__u32 segment; /* bytes of each datagram in it; 0 = it is one */
	__u16 family;
	__u16 protocol;
	__u8 server[16];
};

/* Reads the network header; false when the packet is neither UDP nor TCP. */
static __always_inline bool network_read(struct __sk_buff *skb, bool answer, struct packet *packet)
{
	__u8 first, protocol;

	if (skb->protocol == bpf_htons(IMMUNE_ETHER_IPV4)) {
		if (bpf_skb_load_bytes(skb, 0, &first, 1) ||
		    bpf_skb_load_bytes(skb, 9, &protocol, 1))
			return false;
		packet->family = IMMUNE_FAMILY_IPV4;
		packet->transport = (first & 0xf) * 4;
		if (bpf_skb_load_bytes(skb, answer ? 12 : 16, packet->server, 4))
			return false;
	} else if (skb->protocol == bpf_htons(IMMUNE_ETHER_IPV6)) {
		if (bpf_skb_load_bytes(skb, 6, &protocol, 1))
			return false;
		packet->family = IMMUNE_FAMILY_IPV6;
		packet->transport = IMMUNE_IPV6_HEADER_BYTES;
		if (bpf_skb_load_bytes(skb, answer ? 8 : 24, packet->server, 16))
			return false;
	} else {
		return false;
	}
	packet->protocol = protocol;
	return protocol == IMMUNE_PROTOCOL_UDP || protocol == IMMUNE_PROTOCOL_TCP;
}

/* Finds the first message; false when the packet is for another port or has none. */
static __always_inline bool message_find(struct __sk_buff *skb, bool answer, struct packet *packet)
{
	__u16 port;
	__u8 words;

	if (bpf_skb_load_bytes(skb, packet->transport + (answer ? 0 : 2), &port, sizeof(port)) ||
	    port != bpf_htons(IMMUNE_DNS_PORT))
		return false;
	packet->payload = packet->transport + IMMUNE_UDP_HEADER_BYTES;
	if (packet->protocol == IMMUNE_PROTOCOL_UDP) {
		/* UDP_SEGMENT: one packet here, which is cut into so many bytes each behind. */
		packet->segment = skb->gso_size;
		return skb->len >= packet->payload + IMMUNE_DNS_HEADER_BYTES;
	}
	if (bpf_skb_load_bytes(skb, packet->transport + 12, &words, 1))
		return false;
	packet->payload = packet->transport + (words >> 4) * 4;
	/* A length that is sent alone: its message comes as another packet, and is counted there. */
	return skb->len > packet->payload + IMMUNE_DNS_LENGTH_BYTES;
}

/*
 * Bytes of the next message, which begins at `at` from then on; 0 when what is there is none, or goes
 * on in the next packet.
 */
static __always_inline __u32 message_next(struct __sk_buff *skb, bool stream, __u32 segment,
					  __u32 *at)
{
	__u32 left = skb->len - *at;
	__u16 bytes;

	if (!stream)
		return segment && segment < left ? segment : left;
	/* Over TCP a message has its length before it (RFC 1035, 4.2.2). */
	if (bpf_skb_load_bytes(skb, *at, &bytes, sizeof(bytes)))
		return 0;
	*at += IMMUNE_DNS_LENGTH_BYTES;
	bytes = bpf_ntohs(bytes);
	return bytes >= IMMUNE_DNS_HEADER_BYTES && *at + bytes <= skb->len ? bytes : 0;
}

#endif
