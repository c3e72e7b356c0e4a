/* SPDX-License-Identifier: MIT */
/* Reader of one BPF ring buffer: bounded, whole records only. */
#ifndef IMMUNE_RING_H
#define IMMUNE_RING_H

#include "internal.h"

struct ring {
	int fd;
	uint32_t bytes; /* of data; a power of two */
	size_t page;
	uint64_t *consumer; /* written by us, read by the kernel */
	uint64_t *producer; /* the other way round */
	const uint8_t *data; /* a record may go on at its start */
};

/* Why a drain ended. */
enum ring_end {
	RING_EMPTY = 0, /* everything up to the limit was taken */
	RING_FULL = 1, /* the next record does not fit into the buffer */
	RING_BUSY = 2, /* the next record is still being written */
	RING_BROKEN = 3, /* the next record cannot be one of ours */
};

/* Maps a ring; 0 or -errno. */
int ring_map(struct ring *ring, int fd, uint32_t bytes);
void ring_unmap(struct ring *ring);

/* Where the kernel will put its next record. */
uint64_t ring_position(const struct ring *ring);

/* Whether so much waits that the kernel wakes whoever reads, whatever comes. */
bool ring_presses(const struct ring *ring);

/*
 * Copies records that start before `limit` to the buffer, from *used on; *used grows. The kernel
 * may reuse their room afterwards.
 */
enum ring_end ring_drain(struct ring *ring, uint64_t limit, uint8_t *buffer, uint32_t capacity,
			 uint32_t *used);

#endif
