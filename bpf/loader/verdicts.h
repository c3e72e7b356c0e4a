/* SPDX-License-Identifier: MIT */
/*
 * Verdicts that user space hands to the reader of a sensor: those of the fanotify tier, and those
 * that pinned programs gave while nobody read. Numbered by themselves, source
 * IMMUNE_SOURCE_ENFORCEMENT. Any thread pushes, the poll drains.
 */
#ifndef IMMUNE_VERDICTS_H
#define IMMUNE_VERDICTS_H

#include <pthread.h>

#include "immune_record.h"
#include "immune_sensor.h"
#include "watch_queue.h"

struct verdicts {
	pthread_mutex_t lock; /* held by a push */
	struct watch_queue queue;
	int wake_eventfd;
	uint64_t sequence;
	uint64_t submitted, ring_full, unreadable;
};

/* 0 or -ENOMEM. */
int verdicts_init(struct verdicts *verdicts, int wake_eventfd);
void verdicts_free(struct verdicts *verdicts);

/* Numbers a whole record and hands it over; a full queue leaves a visible gap. */
void verdicts_push(struct verdicts *verdicts, struct immune_record_header *record);

/* Counts acts that nobody could judge. */
void verdicts_lose(struct verdicts *verdicts, uint64_t count);

uint32_t verdicts_drain(struct verdicts *verdicts, uint8_t *buffer, uint32_t capacity);

void verdicts_stats(struct verdicts *verdicts, struct immune_stats_row *row);

#endif
