// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "watch_answer.h"
#include "watch_record.h"

/* Bytes of events read at once: a few, so that nobody waits for a long batch. */
#define EVENTS_BYTES (64 * FAN_EVENT_METADATA_LEN)

static void poke(int eventfd)
{
	uint64_t one = 1;
	/* A full eventfd is readable already, which is all that is asked of it. */
	ssize_t written = write(eventfd, &one, sizeof(one));

	(void)written;
}

void watch_answer_lost(struct watch_answer *answer, uint32_t count)
{
	atomic_fetch_add(&answer->unreadable, count);
	atomic_fetch_add(&answer->losses, count);
	poke(answer->poke_eventfd);
}

static bool push(struct watch_answer *answer, const void *record, uint32_t length)
{
	enum watch_push pushed = watch_queue_push(&answer->queue, record, length);

	if (pushed == WATCH_PUSH_FIRST)
		poke(answer->wake_eventfd);
	return pushed != WATCH_PUSH_FULL;
}

/* A loss that finds no room stays noted and is tried again with the next event. */
static void report_losses(struct watch_answer *answer)
{
	uint64_t count = atomic_exchange(&answer->losses, 0);
	struct watch_loss loss;

	if (!count)
		return;
	watch_loss_fill(&loss, count, atomic_load(&answer->sequence) + 1);
	if (push(answer, &loss, sizeof(loss)))
		atomic_fetch_add(&answer->sequence, 1);
	else
		atomic_fetch_add(&answer->losses, count);
}

static void report(struct watch_answer *answer, struct watch_record *record)
{
	/* Taken before the queue is asked: a full queue leaves a visible gap. */
	watch_record_finish(record, atomic_fetch_add(&answer->sequence, 1) + 1);
	if (push(answer, record, record->header.length))
		atomic_fetch_add(&answer->submitted, 1);
	else
		atomic_fetch_add(&answer->ring_full, 1);
}

static bool is_wanted(struct watch_answer *answer, const struct watch_record *record)
{
	bool wanted;

	if (record->header.pid == answer->own_pid)
		return false;
	pthread_mutex_lock(&answer->current_lock);
	wanted = watch_set_wants(answer->set, record->path, record->body.device,
				 record->body.inode);
	pthread_mutex_unlock(&answer->current_lock);
	return wanted;
}

static void allow(const struct watch_answer *answer, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };
	/* ENOENT: the opener was killed while it waited. Nobody is left to answer. */
	ssize_t written = write(answer->groups.permission, &response, sizeof(response));

	(void)written;
	close(fd);
}

static void handle(struct watch_answer *answer, const struct fanotify_event_metadata *event)
{
	struct watch_record record;

	if (event->mask & FAN_Q_OVERFLOW) {
		watch_answer_lost(answer, 1);
		return;
	}
	if (event->fd < 0)
		return;
	watch_record_file(&record, answer->proc_self_fd, event->fd);
	watch_record_process(&record, answer->processes_map_fd, event->pid);
	allow(answer, event->fd);
	if (is_wanted(answer, &record))
		report(answer, &record);
	else
		atomic_fetch_add(&answer->filtered, 1);
}

static void drain_poke(const struct watch_answer *answer)
{
	uint64_t count;
	ssize_t length = read(answer->poke_eventfd, &count, sizeof(count));

	(void)length;
}

void *watch_answer_run(void *argument)
{
	struct watch_answer *answer = argument;
	struct pollfd waits[] = {
		{ .fd = answer->groups.permission, .events = POLLIN },
		{ .fd = answer->poke_eventfd, .events = POLLIN },
	};
	_Alignas(8) uint8_t buffer[EVENTS_BYTES];

	while (!atomic_load(&answer->stopping)) {
		const struct fanotify_event_metadata *event = (const void *)buffer;
		ssize_t length;

		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			break;
		if (waits[1].revents)
			drain_poke(answer);
		/* EMFILE and the like: the kernel has denied that opener itself; go on. */
		length = read(answer->groups.permission, buffer, sizeof(buffer));
		for (; length > 0 && FAN_EVENT_OK(event, length);
		     event = FAN_EVENT_NEXT(event, length))
			handle(answer, event);
		report_losses(answer);
	}
	return NULL;
}
