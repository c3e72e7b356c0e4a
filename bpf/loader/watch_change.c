// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal.h"
#include "thread.h"
#include "watch_change.h"
#include "watch_event.h"
#include "watch_mark.h"
#include "watch_queue.h"
#include "watch_record.h"

/* Bytes of events read at once, and reads before names are followed again. */
#define EVENTS_BYTES (64 * 1024)
#define READS_MAX 64

struct watch_change {
	struct watch_groups groups;
	struct watch_maps maps;
	int wake_eventfd;
	int end_eventfd;
	uint32_t own_pid;
	pthread_mutex_t lock; /* guards set, marks, quiet and what the thread does with an event */
	struct watch_set *set;
	struct watch_queue queue;
	struct watch_quiet quiet; /* empty: nobody is made quiet here */
	pthread_t thread;
	bool runs;
	_Atomic uint32_t stopping;
	uint64_t losses; /* not yet in the queue as a loss record; the thread's, under lock */
	_Atomic uint64_t sequence;
	/* seen = submitted + filtered + ring_full + unreadable */
	_Atomic uint64_t submitted, filtered, ring_full, unreadable;
};

static bool push(struct watch_change *change, const void *record, uint32_t length)
{
	enum watch_push pushed = watch_queue_push(&change->queue, record, length);
	uint64_t one = 1;

	/* A full eventfd is readable already, which is all that is asked of it. */
	if (pushed == WATCH_PUSH_FIRST &&
	    write(change->wake_eventfd, &one, sizeof(one)) != sizeof(one))
		return true;
	return pushed != WATCH_PUSH_FULL;
}

static void lose(struct watch_change *change, uint32_t count)
{
	atomic_fetch_add(&change->unreadable, count);
	change->losses += count;
}

/* A loss that finds no room stays noted and is tried again with the next event. */
static void report_losses(struct watch_change *change)
{
	struct watch_loss loss;

	if (!change->losses)
		return;
	watch_loss_fill(&loss, IMMUNE_KIND_CHANGE, change->losses,
			atomic_load(&change->sequence) + 1);
	if (!push(change, &loss, sizeof(loss)))
		return;
	atomic_fetch_add(&change->sequence, 1);
	change->losses = 0;
}

static void report(struct watch_change *change, struct change_record *record)
{
	uint32_t end = record->header.length;
	uint32_t length = (end + IMMUNE_RECORD_ALIGNMENT - 1) & ~(IMMUNE_RECORD_ALIGNMENT - 1u);

	memset((char *)record + end, 0, length - end);
	record->header.length = length;
	/* Taken before the queue is asked: a full queue leaves a visible gap. */
	record->header.sequence = atomic_fetch_add(&change->sequence, 1) + 1;
	if (push(change, record, length))
		atomic_fetch_add(&change->submitted, 1);
	else
		atomic_fetch_add(&change->ring_full, 1);
}

static void handle(struct watch_change *change, const struct fanotify_event_metadata *event)
{
	struct change_record record;
	struct change_about about;
	uint64_t mask = event->mask;
	uint32_t what;

	if (mask & FAN_Q_OVERFLOW) {
		lose(change, 1);
		return;
	}
	if ((uint32_t)event->pid == change->own_pid ||
	    !watch_event_about(change->set, event, &about)) {
		atomic_fetch_add(&change->filtered, 1);
		return;
	}
	/* Bounded by the bits of the mask. */
	while ((what = watch_event_next(&about, &mask))) {
		watch_event_fill(&record, &about, what);
		watch_who(&record.header, &change->maps, event->pid);
		report(change, &record);
	}
}

/* Names first: a directory that was made has its marks before its events are read. */
static void turn(struct watch_change *change)
{
	_Alignas(8) uint8_t buffer[EVENTS_BYTES];
	uint32_t missed;

	pthread_mutex_lock(&change->lock);
	missed = watch_follow(&change->groups, change->set, &change->quiet);
	if (missed)
		lose(change, missed);
	for (int round = 0; round < READS_MAX; round++) {
		const struct fanotify_event_metadata *event = (const void *)buffer;
		ssize_t length = read(change->groups.files, buffer, sizeof(buffer));

		if (length <= 0)
			break;
		for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
			handle(change, event);
	}
	report_losses(change);
	pthread_mutex_unlock(&change->lock);
}

static void *run(void *argument)
{
	struct watch_change *change = argument;
	struct pollfd waits[] = {
		{ .fd = change->groups.files, .events = POLLIN },
		{ .fd = change->groups.names, .events = POLLIN },
		{ .fd = change->end_eventfd, .events = POLLIN },
	};

	while (!atomic_load(&change->stopping)) {
		if (poll(waits, 3, -1) < 0 && errno != EINTR)
			break;
		turn(change);
	}
	return NULL;
}

static int start_thread(struct watch_change *change)
{
	int error = thread_start(&change->thread, run, change);

	change->runs = !error;
	return error;
}

int watch_change_start(struct watch_change **out, const struct watch_maps *maps, int wake_eventfd)
{
	struct watch_change *change = calloc(1, sizeof(*change));
	int error = -ENOMEM;

	*out = NULL;
	if (!change)
		return error;
	pthread_mutex_init(&change->lock, NULL);
	change->groups = (struct watch_groups){ .files = -1, .names = -1 };
	change->maps = *maps;
	change->wake_eventfd = wake_eventfd;
	change->own_pid = getpid();
	change->end_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	change->queue.bytes = malloc(WATCH_QUEUE_BYTES);
	change->set = watch_set_new(NULL, 0, IMMUNE_WATCH_CHANGES);
	if (change->end_eventfd >= 0 && change->queue.bytes && change->set &&
	    !watch_quiet_init(&change->quiet)) {
		error = watch_groups_open_changes(&change->groups);
		if (!error)
			error = start_thread(change);
	}
	if (error) {
		watch_change_stop(change);
		return error;
	}
	*out = change;
	return 0;
}

int watch_change_apply(struct watch_change *change, const uint8_t *entries, uint32_t count)
{
	struct watch_set *set = watch_set_new(entries, count, IMMUNE_WATCH_CHANGES);
	struct watch_set *old;
	int refused = 0;

	if (!set)
		return -ENOMEM;
	pthread_mutex_lock(&change->lock);
	for (uint32_t i = 0; i < set->count; i++)
		refused += watch_refresh(&change->groups, set, i) != 0;
	old = change->set;
	change->set = set;
	watch_unmark(&change->groups, old, set);
	pthread_mutex_unlock(&change->lock);
	watch_set_free(old);
	return refused;
}

uint32_t watch_change_drain(struct watch_change *change, uint8_t *buffer, uint32_t capacity)
{
	return watch_queue_drain(&change->queue, buffer, capacity);
}

void watch_change_stats(struct watch_change *change, struct immune_stats_row *row)
{
	struct immune_counters *counters = &row->counters;

	memset(row, 0, sizeof(*row));
	row->kind = IMMUNE_KIND_CHANGE;
	row->source = IMMUNE_SOURCE_CHANGE;
	row->sequence = atomic_load(&change->sequence);
	counters->submitted = atomic_load(&change->submitted);
	counters->filtered = atomic_load(&change->filtered);
	counters->ring_full = atomic_load(&change->ring_full);
	counters->unreadable = atomic_load(&change->unreadable);
	counters->seen = counters->submitted + counters->filtered + counters->ring_full +
			 counters->unreadable;
}

void watch_change_stop(struct watch_change *change)
{
	uint64_t one = 1;

	if (!change)
		return;
	atomic_store(&change->stopping, 1);
	if (change->runs && write(change->end_eventfd, &one, sizeof(one)) == sizeof(one))
		pthread_join(change->thread, NULL);
	watch_groups_close(&change->groups);
	if (change->end_eventfd >= 0)
		close(change->end_eventfd);
	watch_quiet_free(&change->quiet);
	watch_set_free(change->set);
	free(change->queue.bytes);
	pthread_mutex_destroy(&change->lock);
	free(change);
}
