// SPDX-License-Identifier: MIT
#include <linux/types.h>

#include "verdicts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int verdicts_init(struct verdicts *verdicts, int wake_eventfd)
{
	pthread_mutex_init(&verdicts->lock, NULL);
	verdicts->wake_eventfd = wake_eventfd;
	verdicts->queue.bytes = malloc(WATCH_QUEUE_BYTES);
	return verdicts->queue.bytes ? 0 : -ENOMEM;
}

void verdicts_free(struct verdicts *verdicts)
{
	free(verdicts->queue.bytes);
	pthread_mutex_destroy(&verdicts->lock);
}

void verdicts_push(struct verdicts *verdicts, struct immune_record_header *record)
{
	uint64_t one = 1;
	enum watch_push pushed;
	ssize_t written = 0;

	pthread_mutex_lock(&verdicts->lock);
	record->source = (uint16_t)IMMUNE_SOURCE_ENFORCEMENT;
	record->sequence = ++verdicts->sequence;
	pushed = watch_queue_push(&verdicts->queue, record, record->length);
	verdicts->submitted += pushed != WATCH_PUSH_FULL;
	verdicts->ring_full += pushed == WATCH_PUSH_FULL;
	pthread_mutex_unlock(&verdicts->lock);
	if (pushed == WATCH_PUSH_FIRST)
		written = write(verdicts->wake_eventfd, &one, sizeof(one));
	(void)written;
}

void verdicts_lose(struct verdicts *verdicts, uint64_t count)
{
	pthread_mutex_lock(&verdicts->lock);
	verdicts->unreadable += count;
	pthread_mutex_unlock(&verdicts->lock);
}

uint32_t verdicts_drain(struct verdicts *verdicts, uint8_t *buffer, uint32_t capacity)
{
	return watch_queue_drain(&verdicts->queue, buffer, capacity);
}

void verdicts_stats(struct verdicts *verdicts, struct immune_stats_row *row)
{
	memset(row, 0, sizeof(*row));
	row->kind = IMMUNE_KIND_VERDICT;
	row->source = (uint16_t)IMMUNE_SOURCE_ENFORCEMENT;
	pthread_mutex_lock(&verdicts->lock);
	row->sequence = verdicts->sequence;
	row->counters.submitted = verdicts->submitted;
	row->counters.ring_full = verdicts->ring_full;
	row->counters.unreadable = verdicts->unreadable;
	pthread_mutex_unlock(&verdicts->lock);
	row->counters.seen = row->counters.submitted + row->counters.ring_full +
			     row->counters.unreadable;
}
