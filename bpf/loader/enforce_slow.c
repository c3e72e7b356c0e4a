// SPDX-License-Identifier: MIT
#include "enforce_slow.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "thread.h"

struct waiting {
	uint32_t place;
	struct enforce_act act;
};

struct enforce_slow {
	struct enforce_judge *judge;
	struct guardian *guardian;
	pthread_t thread;
	bool runs, stopping;
	pthread_mutex_t lock; /* guards stopping, waiting, first and count */
	pthread_cond_t arrived;
	struct waiting *waiting; /* a ring of SLOW_ACTS_MAX */
	uint32_t first, count;
	_Atomic bool held[GUARDIAN_EVENTS_MAX]; /* places with an event of this thread */
};

_Static_assert(SLOW_ACTS_MAX + 1 < GUARDIAN_EVENTS_MAX, "a place is always free");

static void release(struct enforce_slow *slow, uint32_t place, int fd)
{
	close(fd);
	atomic_store(&slow->held[place], false);
}

static void serve(struct enforce_slow *slow, struct waiting *next)
{
	const struct fanotify_event_metadata event = guardian_event(slow->guardian, next->place);
	bool refused = judge_hash(slow->judge, &next->act, event.fd);

	judge_end(slow->judge, &next->act, guardian_answer(slow->guardian, next->place, refused));
	release(slow, next->place, event.fd);
}

/* Waits for the next act; false at the end. */
static bool take_next(struct enforce_slow *slow, struct waiting *next)
{
	bool goes_on;

	pthread_mutex_lock(&slow->lock);
	while (!slow->count && !slow->stopping)
		pthread_cond_wait(&slow->arrived, &slow->lock);
	goes_on = !slow->stopping;
	if (goes_on) {
		*next = slow->waiting[slow->first];
		slow->first = (slow->first + 1) % SLOW_ACTS_MAX;
		slow->count--;
	}
	pthread_mutex_unlock(&slow->lock);
	return goes_on;
}

static void *run(void *argument)
{
	struct enforce_slow *slow = argument;
	struct waiting next;

	while (take_next(slow, &next))
		serve(slow, &next);
	return NULL;
}

int enforce_slow_start(struct enforce_slow **out, struct enforce_judge *judge,
		       struct guardian *guardian)
{
	struct enforce_slow *slow = calloc(1, sizeof(*slow));
	int error;

	*out = slow;
	if (!slow)
		return -ENOMEM;
	slow->judge = judge;
	slow->guardian = guardian;
	pthread_mutex_init(&slow->lock, NULL);
	pthread_cond_init(&slow->arrived, NULL);
	slow->waiting = malloc(SLOW_ACTS_MAX * sizeof(*slow->waiting));
	error = slow->waiting ? thread_start(&slow->thread, run, slow) : -ENOMEM;
	slow->runs = !error;
	return error;
}

uint32_t enforce_slow_place(struct enforce_slow *slow)
{
	uint32_t place = 0;

	while (place < GUARDIAN_EVENTS_MAX - 1 && atomic_load(&slow->held[place]))
		place++;
	return place;
}

bool enforce_slow_take(struct enforce_slow *slow, uint32_t place, const struct enforce_act *act)
{
	bool has_room;

	pthread_mutex_lock(&slow->lock);
	has_room = slow->count < SLOW_ACTS_MAX;
	if (has_room) {
		uint32_t at = (slow->first + slow->count++) % SLOW_ACTS_MAX;

		slow->waiting[at].place = place;
		slow->waiting[at].act = *act;
		atomic_store(&slow->held[place], true);
		pthread_cond_signal(&slow->arrived);
	}
	pthread_mutex_unlock(&slow->lock);
	return has_room;
}

void enforce_slow_stop(struct enforce_slow *slow)
{
	if (!slow)
		return;
	pthread_mutex_lock(&slow->lock);
	slow->stopping = true;
	pthread_cond_signal(&slow->arrived);
	pthread_mutex_unlock(&slow->lock);
	if (slow->runs)
		pthread_join(slow->thread, NULL);
	for (; slow->count; slow->count--) {
		uint32_t place = slow->waiting[slow->first].place;
		int fd = guardian_event(slow->guardian, place).fd;

		guardian_answer(slow->guardian, place, false);
		release(slow, place, fd);
		judge_lose(slow->judge, 1);
		slow->first = (slow->first + 1) % SLOW_ACTS_MAX;
	}
	pthread_cond_destroy(&slow->arrived);
	pthread_mutex_destroy(&slow->lock);
	free(slow->waiting);
	free(slow);
}
