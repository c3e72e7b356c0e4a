// SPDX-License-Identifier: MIT
/*
 * DNS (RFC 1035) over UDP and TCP port 53: questions as they leave a host and answers as they come
 * back, on the client's side alone. Packets that are looked at are those of sockets whose owner
 * was put down when he connected or sent to port 53. Always allow.
 */
#include "owner.h"
#include "packet.h"
#include "question.h"

/* Messages of one packet that are told, and that are counted (datagrams: UDP_MAX_SEGMENTS). */
#define IMMUNE_DNS_TOLD_MAX 8
#define IMMUNE_DNS_COUNTED_MAX 128

/*
 * Whether a packet is one of a TCP connection to another port: most of all packets are. A datagram may
 * go elsewhere than its socket is connected to.
 */
static __always_inline bool is_elsewhere(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	socket = socket ? bpf_sk_fullsock(socket) : NULL;
	return socket && socket->protocol == IMMUNE_PROTOCOL_TCP &&
	       skb->remote_port != bpf_htonl(IMMUNE_DNS_PORT);
}

/* A message that cannot be told. */
static __always_inline void message_lose(struct immune_tally *tally)
{
	record_lose(IMMUNE_STREAM_BULK);
	count_one(tally, unreadable);
}

static __always_inline void record_fill(struct dns_record *record, const struct packet *packet,
					const struct immune_owner *owner, bool answer)
{
	header_fill_owner(&record->header, owner, IMMUNE_KIND_DNS);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_DNS_SLOT_COUNT;
	__builtin_memset(record->slots, 0, sizeof(record->slots));
	record->body.family = packet->family;
	record->body.port = IMMUNE_DNS_PORT;
	record->body.protocol = packet->protocol;
	record->body.socket_type = packet->protocol == IMMUNE_PROTOCOL_TCP ? 1 : 2;
	record->body.is_answer = answer;
	__builtin_memcpy(record->body.address, packet->server, sizeof(packet->server));
}

static __always_inline void message_tell(struct __sk_buff *skb, __u32 at, __u32 bytes, bool answer)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_DNS);
	struct immune_scratch *scratch = scratch_take();
	struct packet packet = {};
	__u64 cookie = bpf_get_socket_cookie(skb);
	__u32 length;

	if (!scratch) {
		message_lose(tally);
		return;
	}
	if (!network_read(skb, answer, &packet))
		goto lose;
	record_fill((void *)scratch->record, &packet, bpf_map_lookup_elem(&askers, &cookie), answer);
	length = message_copy(skb, at, bytes, scratch);
	if (!length || !question_fill(scratch, length))
		goto lose;
	scratch_send(&bulk, scratch, tally, IMMUNE_STREAM_BULK, answer);
	return;
lose:
	message_lose(tally);
	scratch_release(scratch);
}

/* How to go over messages. */
enum message_how {
	MESSAGE_ANSWER = 1,
	MESSAGE_STREAM = 2,
	MESSAGE_TELL = 4, /* else it is counted alone */
};

/*
 * Tells or counts the message at `at`; where the next one begins, or 0 when it is not known. Takes the
 * context and numbers alone, and is verified once (see role.h): so the packet's own header is read
 * again.
 */
__noinline int message_step(struct __sk_buff *skb, __u32 at, __u32 segment, __u32 how)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_DNS);
	__u32 length = message_next(skb, how & MESSAGE_STREAM, segment, &at);

	if (!kind_wanted(tally, IMMUNE_KIND_DNS))
		return 0;
	if (length && how & MESSAGE_TELL)
		message_tell(skb, at, length, how & MESSAGE_ANSWER);
	else
		message_lose(tally);
	return length ? at + length : 0;
}

static __always_inline int on_packet(struct __sk_buff *skb, bool answer)
{
	struct packet packet = {};
	__u32 at, how = answer ? MESSAGE_ANSWER : 0;

	if (is_elsewhere(skb) || !network_read(skb, answer, &packet) || !message_find(skb, answer, &packet))
		return IMMUNE_ALLOW;
	how |= packet.protocol == IMMUNE_PROTOCOL_TCP ? MESSAGE_STREAM : 0;
	at = packet.payload;
	/* A message a turn; what is behind the last one that is looked for counts as one more. */
	for (__u32 i = 0; i <= IMMUNE_DNS_COUNTED_MAX; i++) {
		at = message_step(skb, at, packet.segment,
				  how | (i < IMMUNE_DNS_TOLD_MAX ? MESSAGE_TELL : 0));
		if (!at || at >= skb->len)
			break;
	}
	return IMMUNE_ALLOW;
}

SEC("cgroup_skb/egress")
int on_dns_question(struct __sk_buff *skb)
{
	return on_packet(skb, false);
}

SEC("cgroup_skb/ingress")
int on_dns_answer(struct __sk_buff *skb)
{
	return on_packet(skb, true);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
