// SPDX-License-Identifier: MIT
#include "hash_apart.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hash_helper.h"
#include "sensor.h"
#include "thread.h"

#define NS_PER_MS 1000000ull

struct item {
	struct hash_request request;
	struct hash_apart_file file;
};

/* A file system that stood still. */
struct still {
	uint64_t until_ns; /* boot clock; over: it is asked again */
	uint32_t device;
};

struct hash_apart {
	struct hash_apart_options options;
	pthread_t thread;
	bool runs;
	_Atomic bool stopping;
	pthread_mutex_t lock; /* guards items, first and count */
	pthread_cond_t arrived;
	struct item *items; /* a ring of HASH_APART_MAX */
	uint32_t first, count;
	/* The thread's. */
	struct hash_helper helper;
	struct still still[HASH_APART_STILL_MAX];
	uint32_t still_next;
	/* seen = the sum of these, and what waits */
	_Atomic uint64_t submitted, filtered, ring_full, oversized, unreadable;
	_Atomic uint64_t late, refused;
};

static bool stands_still(const struct hash_apart *apart, uint32_t device)
{
	uint64_t now_ns = clock_boot_ns();

	for (int i = 0; i < HASH_APART_STILL_MAX; i++)
		if (apart->still[i].device == device && now_ns < apart->still[i].until_ns)
			return true;
	return false;
}

/* The oldest is forgotten for it. */
static void note_still(struct hash_apart *apart, uint32_t device)
{
	struct still *still = &apart->still[apart->still_next++ % HASH_APART_STILL_MAX];

	still->device = device;
	still->until_ns = clock_boot_ns() + HASH_APART_REST_MS * NS_PER_MS;
}

static void count(struct hash_apart *apart, int error)
{
	_Atomic uint64_t *counter = error == -EFBIG	 ? &apart->oversized
				    : error == -ETIME	 ? &apart->late
				    : error == -EBUSY	 ? &apart->refused
							 : &apart->unreadable;

	atomic_fetch_add(counter, 1);
}

static void tell(struct hash_apart *apart, const struct hash_request *request,
		 const struct hasher_answer *answer)
{
	switch (apart->options.found(apart->options.state, request, answer)) {
	case HASH_TOLD:
		atomic_fetch_add(&apart->submitted, 1);
		return;
	case HASH_TOLD_BEFORE:
		atomic_fetch_add(&apart->filtered, 1);
		return;
	case HASH_NO_ROOM:
		atomic_fetch_add(&apart->ring_full, 1);
	}
}

static void serve(struct hash_apart *apart, const struct item *item)
{
	const struct hash_request *request = &item->request;
	const struct hasher_question question = {
		.record_ns = request->header.time_ns,
		.tells = item->file.tells,
	};
	struct hasher_answer answer;
	int error = stands_still(apart, request->device) ? -EBUSY : 0;

	if (!error)
		error = hash_helper_ask(&apart->helper, &question, item->file.place, &answer);
	if (error == -ETIME)
		note_still(apart, request->device);
	if (!error)
		error = answer.error;
	if (error)
		count(apart, error);
	else
		tell(apart, request, &answer);
}

/* Waits for a file; false when the lane is to end. */
static bool take(struct hash_apart *apart, struct item *item)
{
	pthread_mutex_lock(&apart->lock);
	while (!apart->count && !atomic_load(&apart->stopping))
		pthread_cond_wait(&apart->arrived, &apart->lock);
	if (apart->count) {
		*item = apart->items[apart->first];
		apart->first = (apart->first + 1) % HASH_APART_MAX;
		apart->count--;
	} else {
		item->file.place = -1;
	}
	pthread_mutex_unlock(&apart->lock);
	return item->file.place >= 0;
}

static void *run(void *argument)
{
	struct hash_apart *apart = argument;
	struct item *item = malloc(sizeof(*item));

	while (item && take(apart, item)) {
		if (!atomic_load(&apart->stopping))
			serve(apart, item);
		close(item->file.place);
	}
	hash_helper_end(&apart->helper);
	free(item);
	return NULL;
}

void hash_apart_give(struct hash_apart *apart, const struct hash_request *request,
		     const struct hash_apart_file *file)
{
	struct item *item = NULL;

	pthread_mutex_lock(&apart->lock);
	if (apart->count < HASH_APART_MAX) {
		item = &apart->items[(apart->first + apart->count++) % HASH_APART_MAX];
		item->request = *request;
		item->file = *file;
		pthread_cond_signal(&apart->arrived);
	}
	pthread_mutex_unlock(&apart->lock);
	if (item)
		return;
	close(file->place);
	atomic_fetch_add(&apart->ring_full, 1);
}

int hash_apart_start(struct hash_apart **out, const struct hash_apart_options *options)
{
	struct hash_apart *apart = calloc(1, sizeof(*apart));

	*out = NULL;
	if (!apart)
		return -ENOMEM;
	pthread_mutex_init(&apart->lock, NULL);
	pthread_cond_init(&apart->arrived, NULL);
	apart->options = *options;
	apart->helper.stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	apart->items = malloc(HASH_APART_MAX * sizeof(*apart->items));
	apart->runs = apart->helper.stop >= 0 && apart->items &&
		      !thread_start(&apart->thread, run, apart);
	if (!apart->runs) {
		hash_apart_stop(apart);
		return -ENOMEM;
	}
	*out = apart;
	return 0;
}

void hash_apart_stats(struct hash_apart *apart, struct immune_stats_row rows[2])
{
	struct immune_counters *hashed = &rows[0].counters, *still = &rows[1].counters;

	memset(rows, 0, 2 * sizeof(*rows));
	rows[0].source = (uint16_t)IMMUNE_SOURCE_HASH_APART;
	hashed->submitted = atomic_load(&apart->submitted);
	hashed->filtered = atomic_load(&apart->filtered);
	hashed->ring_full = atomic_load(&apart->ring_full);
	hashed->oversized = atomic_load(&apart->oversized);
	hashed->unreadable = atomic_load(&apart->unreadable);
	hashed->seen = hashed->submitted + hashed->filtered + hashed->ring_full +
		       hashed->oversized + hashed->unreadable;
	rows[1].source = (uint16_t)IMMUNE_SOURCE_HASH_STILL;
	still->unreadable = atomic_load(&apart->late);
	still->filtered = atomic_load(&apart->refused);
	still->seen = still->unreadable + still->filtered;
}

void hash_apart_stop(struct hash_apart *apart)
{
	uint64_t one = 1;
	ssize_t written;

	if (!apart)
		return;
	pthread_mutex_lock(&apart->lock);
	atomic_store(&apart->stopping, true);
	pthread_cond_signal(&apart->arrived);
	pthread_mutex_unlock(&apart->lock);
	if (apart->helper.stop >= 0) {
		written = write(apart->helper.stop, &one, sizeof(one));
		(void)written;
	}
	if (apart->runs)
		pthread_join(apart->thread, NULL);
	if (apart->helper.stop >= 0)
		close(apart->helper.stop);
	free(apart->items);
	pthread_cond_destroy(&apart->arrived);
	pthread_mutex_destroy(&apart->lock);
	free(apart);
}
