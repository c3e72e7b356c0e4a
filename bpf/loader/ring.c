// SPDX-License-Identifier: MIT
/* Two positions that only grow, a header of 8 bytes a record (kernel: bpf/ringbuf.rst). */
#include "ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control.h"
#include "immune_record.h"

/* Looks at a record that is being written before giving up on it for this time. */
#define BUSY_SPINS_MAX 2000

int ring_map(struct ring *ring, int fd, uint32_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	/*
	 * The kernel would map the data twice in a row, so that no record is broken; but it maps all
	 * pages at once, and each counts as memory of this process (measured: 20 MiB more). A record
	 * over the end is put together when it is copied, which it is anyway.
	 */
	producer = mmap(NULL, page + bytes, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int error = -errno;

		munmap(consumer, page);
		return error;
	}
	ring->fd = fd;
	ring->bytes = bytes;
	ring->page = page;
	ring->consumer = consumer;
	ring->producer = producer;
	ring->data = (const uint8_t *)producer + page;
	return 0;
}

void ring_unmap(struct ring *ring)
{
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap(ring->producer, ring->page + ring->bytes);
	ring->consumer = NULL;
	ring->producer = NULL;
}

uint64_t ring_position(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

bool ring_presses(const struct ring *ring)
{
	uint64_t at = __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);

	return ring_position(ring) - at >= ring->bytes / IMMUNE_PRESSURE_SHARE;
}

/* The length word of a record, waited for a moment when its writer has not finished. */
static uint32_t record_word(const uint8_t *record)
{
	uint32_t word = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);

	for (int i = 0; i < BUSY_SPINS_MAX && word & BPF_RINGBUF_BUSY_BIT; i++)
		word = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
	return word;
}

/* Copies `length` bytes that start at a position; those over the end go on at the start. */
static void ring_copy(const struct ring *ring, uint64_t position, uint8_t *to, uint32_t length)
{
	uint32_t at = (uint32_t)(position & (ring->bytes - 1));
	uint32_t first = ring->bytes - at;

	if (first > length)
		first = length;
	memcpy(to, ring->data + at, first);
	memcpy(to + first, ring->data, length - first);
}

enum ring_end ring_drain(struct ring *ring, uint64_t limit, uint8_t *buffer, uint32_t capacity,
			 uint32_t *used)
{
	uint64_t at = __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
	enum ring_end end = RING_EMPTY;

	/* Bounded by the limit: each turn moves on by one record or ends. */
	while (at < limit) {
		/* The header of 8 bytes is never broken: positions are multiples of 8. */
		uint32_t word = record_word(ring->data + (at & (ring->bytes - 1)));
		uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (word & BPF_RINGBUF_BUSY_BIT) {
			end = RING_BUSY;
			break;
		}
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			if (length > IMMUNE_RECORD_BYTES_MAX || length % IMMUNE_RECORD_ALIGNMENT) {
				end = RING_BROKEN;
				break;
			}
			if (length > capacity - *used) {
				end = RING_FULL;
				break;
			}
			ring_copy(ring, at + BPF_RINGBUF_HDR_SZ, buffer + *used, length);
			*used += length;
		}
		at += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
	}
	/* Release: the copies are done before the kernel may overwrite the room. */
	__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	return end;
}
