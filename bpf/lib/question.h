/* SPDX-License-Identifier: MIT */
/* The record of a DNS message: its bytes, and the name that it asks for. */
#ifndef IMMUNE_QUESTION_H
#define IMMUNE_QUESTION_H

#include "packet.h"

/* Longest name in a message, its lengths included (RFC 1035, 2.3.4). */
#define IMMUNE_DNS_NAME_MAX 255
/* Two bits that make a length a pointer (RFC 1035, 4.1.4). */
#define IMMUNE_DNS_POINTER 0xc0
_Static_assert(!(IMMUNE_DNS_MESSAGE_BYTES_MAX & (IMMUNE_DNS_MESSAGE_BYTES_MAX - 1)), "a mask");

struct dns_record {
	struct immune_record_header header;
	struct immune_dns_body body;
	struct immune_slot slots[IMMUNE_DNS_SLOT_COUNT];
	__u8 bytes[];
};

/*
 * Writes the name of the question as text to the scratch's path; bytes of the message behind it, or
 * 0 when it has none. The message starts at `from` of the record. Takes numbers alone, and is
 * verified once (see role.h).
 */
__weak __noinline int question_read(__u32 place, __u32 from, __u32 length)
{
	struct immune_scratch *scratch = scratch_at(place);
	struct immune_split *split;

	if (!scratch)
		return 0;
	/* State in the map, as ever: `count` is bytes written, `argument` what a label still has. */
	split = &scratch->split;
	split->count = 0;
	split->argument = 0;
	/* A byte a turn, bounded by the longest name: labels cannot make it go back (no pointers). */
	for (__u32 i = 0; i < IMMUNE_DNS_NAME_MAX; i++) {
		__u32 at = from + IMMUNE_DNS_HEADER_BYTES + i;
		__u32 to = split->count;
		__u8 byte;

		/* The check is on the final value, as the verifier wants it (record.h). */
		barrier_var(at);
		if (IMMUNE_DNS_HEADER_BYTES + i >= length || at >= IMMUNE_RECORD_BYTES_MAX ||
		    to >= IMMUNE_DNS_NAME_MAX)
			return 0;
		byte = scratch->record[at];
		if (split->argument) {
			split->argument--;
		} else {
			if (!byte)
				return IMMUNE_DNS_HEADER_BYTES + i + 1;
			if (byte & IMMUNE_DNS_POINTER)
				return 0;
			split->argument = byte;
			if (!to)
				continue;
			byte = '.';
		}
		if (byte - 'A' < 26u)
			byte |= 0x20;
		scratch->path[to] = byte;
		split->count = to + 1;
	}
	return 0;
}

/* Copies the message behind the slots and points a slot at it; its bytes kept, 0 on failure. */
static __always_inline __u32 message_copy(struct __sk_buff *skb, __u32 at, __u32 whole,
					  struct immune_scratch *scratch)
{
	struct dns_record *record = (void *)scratch->record;
	__u32 length = whole;

	if (length > IMMUNE_DNS_MESSAGE_BYTES_MAX) {
		length = IMMUNE_DNS_MESSAGE_BYTES_MAX;
		record->header.flags |= IMMUNE_FLAG_TRUNCATED;
	}
	if (!length)
		return 0;
	/* As it is, but from 1 on to the verifier: before 6.8 it learns nothing from "not 0". */
	barrier_var(length);
	length = ((length - 1) & (IMMUNE_DNS_MESSAGE_BYTES_MAX - 1)) + 1;
	if (bpf_skb_load_bytes(skb, at, record->bytes, length))
		return 0;
	record->slots[IMMUNE_DNS_SLOT_MESSAGE] = (struct immune_slot){
		.offset = sizeof(*record),
		.length = length,
		.original_length = whole > 0xffff ? 0xffff : whole,
	};
	scratch->length = sizeof(*record) + length;
	return length;
}

/* Fills the record from the message that it holds; false when that asks for nothing. */
static __always_inline bool question_fill(struct immune_scratch *scratch, __u32 length)
{
	struct dns_record *record = (void *)scratch->record;
	__u32 behind = question_read(scratch->place, sizeof(*record), length);
	__u32 at = scratch->length;
	__u32 name = scratch->split.count;

	if (!behind || behind + 2 > length || behind > IMMUNE_DNS_MESSAGE_BYTES_MAX)
		return false;
	record->body.transaction = record->bytes[0] << 8 | record->bytes[1];
	record->body.response_code = record->bytes[3] & 0xf;
	record->body.query_type = record->bytes[behind] << 8 | record->bytes[behind + 1];
	/* Holds by what question_read() gave; the verifier wants it on the final values. */
	barrier_var(at);
	barrier_var(name);
	if (at > sizeof(*record) + IMMUNE_DNS_MESSAGE_BYTES_MAX || name > IMMUNE_DNS_NAME_MAX)
		return false;
	/* Copied whole and cut by its length: what is behind it is overwritten or not sent. */
	__builtin_memcpy(&scratch->record[at], scratch->path, IMMUNE_DNS_NAME_MAX);
	record->slots[IMMUNE_DNS_SLOT_NAME] = (struct immune_slot){
		.offset = at,
		.length = name,
		.original_length = name,
	};
	scratch->length = at + name;
	return true;
}

#endif
