/* SPDX-License-Identifier: MIT */
/* A bounded queue of records: one thread pushes, one drains, neither ever waits. */
#ifndef IMMUNE_WATCH_QUEUE_H
#define IMMUNE_WATCH_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A power of two: positions only grow and are masked. */
#define WATCH_QUEUE_BYTES (1u << 20)

struct watch_queue {
	_Atomic uint64_t head; /* bytes ever pushed */
	_Atomic uint64_t tail; /* bytes ever drained */
	uint8_t *bytes; /* WATCH_QUEUE_BYTES */
};

enum watch_push {
	WATCH_PUSH_FULL, /* not taken */
	WATCH_PUSH_TAKEN,
	WATCH_PUSH_FIRST, /* taken, and the reader may be waiting */
};

/* length: a multiple of 8, whose first u32 says the same. */
enum watch_push watch_queue_push(struct watch_queue *queue, const void *record, uint32_t length);

/* Copies whole records; returns bytes. */
uint32_t watch_queue_drain(struct watch_queue *queue, uint8_t *buffer, uint32_t capacity);

#endif
