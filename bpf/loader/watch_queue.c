// SPDX-License-Identifier: MIT
#include <string.h>

#include "watch_queue.h"

static void copy_in(struct watch_queue *queue, uint64_t at, const uint8_t *from, uint32_t length)
{
	uint32_t offset = at & (WATCH_QUEUE_BYTES - 1);
	uint32_t first = WATCH_QUEUE_BYTES - offset;

	if (first > length)
		first = length;
	memcpy(queue->bytes + offset, from, first);
	memcpy(queue->bytes, from + first, length - first);
}

static void copy_out(const struct watch_queue *queue, uint64_t at, uint8_t *to, uint32_t length)
{
	uint32_t offset = at & (WATCH_QUEUE_BYTES - 1);
	uint32_t first = WATCH_QUEUE_BYTES - offset;

	if (first > length)
		first = length;
	memcpy(to, queue->bytes + offset, first);
	memcpy(to + first, queue->bytes, length - first);
}

/*
 * Who wakes whom: the producer stores head, then loads tail; the reader stores tail,
 * then loads head again. All four are sequentially consistent, so either the reader
 * sees the new record or the producer sees that the reader had caught up.
 */
enum watch_push watch_queue_push(struct watch_queue *queue, const void *record, uint32_t length)
{
	uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);

	if (WATCH_QUEUE_BYTES - (head - tail) < length)
		return WATCH_PUSH_FULL;
	copy_in(queue, head, record, length);
	atomic_store(&queue->head, head + length);
	return atomic_load(&queue->tail) == head ? WATCH_PUSH_FIRST : WATCH_PUSH_TAKEN;
}

uint32_t watch_queue_drain(struct watch_queue *queue, uint8_t *buffer, uint32_t capacity)
{
	uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
	uint32_t used = 0;

	/* Bounded by capacity: every round that does not end moves at least one record. */
	for (;;) {
		uint64_t head = atomic_load(&queue->head);
		uint64_t start = tail;

		while (tail != head) {
			uint32_t length;

			/* Positions are multiples of 8, so a length never wraps. */
			copy_out(queue, tail, (uint8_t *)&length, sizeof(length));
			if (length > capacity - used)
				break;
			copy_out(queue, tail, buffer + used, length);
			used += length;
			tail += length;
		}
		if (tail == start)
			return used;
		atomic_store(&queue->tail, tail);
	}
}
