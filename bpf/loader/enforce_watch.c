// SPDX-License-Identifier: MIT
#include "enforce_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "enforce_answer.h"
#include "enforce_mark.h"
#include "enforce_slow.h"
#include "guardian.h"
#include "sensor.h"
#include "thread.h"

/* What answers for one policy; the next policy has its own, so that no open falls between two. */
struct answerer {
	struct enforce_judge judge;
	int group;
	int poke_eventfd; /* the end, or something that the guardian let go */
	struct guardian *guardian;
	struct enforce_slow *slow;
	uint64_t let_go; /* of the guardian's, those that are counted by now */
	pthread_t answering;
	bool answering_runs;
	_Atomic bool stopping;
	uint8_t *rest; /* marks, then hashes */
	uint32_t mark_count;
	struct enforce_marking marking;
};

struct enforce_watch {
	struct immune_enforce *enforce;
	struct answerer *now;
	struct answerer *next; /* prepared, and not in force yet */
	struct immune_enforce_row past; /* counts of the ones before */
};

static void handle(struct answerer *answerer, uint32_t place, struct enforce_act *act)
{
	const struct fanotify_event_metadata event = guardian_event(answerer->guardian, place);
	enum guardian_answered answered;
	enum judged judged;

	if (event.fd < 0) {
		/* The kernel let go what the group had no room for. */
		if (event.mask & FAN_Q_OVERFLOW)
			judge_lose(&answerer->judge, 1);
		return;
	}
	judged = judge_event(&answerer->judge, &event, act);
	if (judged == JUDGED_HASH) {
		if (enforce_slow_take(answerer->slow, place, act))
			return;
		judge_lose(&answerer->judge, 1);
	}
	answered = guardian_answer(answerer->guardian, place, judged == JUDGED_REFUSED);
	judge_end(&answerer->judge, act, answered);
	close(event.fd);
}

/* What the guardian let go while this thread stood still. */
static void count_let_go(struct answerer *answerer)
{
	uint64_t let_go = guardian_unseen(answerer->guardian) +
			  guardian_relieved(answerer->guardian);

	if (let_go != answerer->let_go)
		judge_lose(&answerer->judge, let_go - answerer->let_go);
	answerer->let_go = let_go;
}

static void *answering_run(void *argument)
{
	struct answerer *answerer = argument;
	struct pollfd waits[] = {
		{ .fd = answerer->group, .events = POLLIN },
		{ .fd = answerer->poke_eventfd, .events = POLLIN },
	};
	struct enforce_act act;

	while (!atomic_load(&answerer->stopping)) {
		uint32_t place = enforce_slow_place(answerer->slow);
		uint64_t poked;
		ssize_t length;

		/* When it fails nobody may wait for an answer all the same. */
		poll(waits, 2, -1);
		length = read(answerer->poke_eventfd, &poked, sizeof(poked));
		(void)length;
		guardian_beat(answerer->guardian);
		/* One at a time, so that nobody waits behind a batch. */
		if (guardian_read(answerer->guardian, place, 1))
			handle(answerer, place, &act);
		count_let_go(answerer);
	}
	return NULL;
}

/* Ends its thread; its counts stand still from then on. */
static void answerer_end(struct answerer *answerer)
{
	uint64_t one = 1;
	ssize_t written;

	/* Nobody new waits; who does is answered, by the guardian where the thread is stuck. */
	if (answerer->group >= 0) {
		fanotify_mark(answerer->group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
		fanotify_mark(answerer->group, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD,
			      NULL);
	}
	atomic_store(&answerer->stopping, true);
	written = write(answerer->poke_eventfd, &one, sizeof(one));
	(void)written;
	if (answerer->answering_runs)
		pthread_join(answerer->answering, NULL);
	answerer->answering_runs = false;
	enforce_slow_stop(answerer->slow);
	answerer->slow = NULL;
	if (answerer->guardian)
		count_let_go(answerer);
}

static void answerer_stop(struct answerer *answerer)
{
	if (!answerer)
		return;
	answerer_end(answerer);
	guardian_stop(answerer->guardian);
	/* Answers whoever still waits. */
	if (answerer->group >= 0)
		close(answerer->group);
	if (answerer->poke_eventfd >= 0)
		close(answerer->poke_eventfd);
	if (answerer->judge.proc_self_fd >= 0)
		close(answerer->judge.proc_self_fd);
	pthread_mutex_destroy(&answerer->judge.lock);
	free(answerer->rest);
	free(answerer);
}

static int answerer_run(struct answerer *answerer)
{
	int error = guardian_start(&answerer->guardian, answerer->group, answerer->poke_eventfd);

	if (error)
		return error;
	error = enforce_slow_start(&answerer->slow, &answerer->judge, answerer->guardian);
	if (!error)
		error = thread_start(&answerer->answering, answering_run, answerer);
	if (error)
		immune_fail("Cannot start the threads that answer for fanotify: %s",
			    strerror(-error));
	answerer->answering_runs = !error;
	return error;
}

static struct answerer *answerer_new(struct immune_enforce *enforce)
{
	struct answerer *answerer = calloc(1, sizeof(*answerer));

	if (!answerer) {
		immune_fail("Cannot refuse opens by fanotify: out of memory");
		return NULL;
	}
	answerer->judge.enforce = enforce;
	pthread_mutex_init(&answerer->judge.lock, NULL);
	answerer->group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
						FAN_UNLIMITED_MARKS,
					O_RDONLY | O_CLOEXEC | O_LARGEFILE);
	answerer->marking.group = answerer->group;
	answerer->marking.served = sensor_served_fd(enforce->sensor);
	answerer->poke_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	answerer->judge.proc_self_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (answerer->group >= 0 && answerer->poke_eventfd >= 0 && answerer->judge.proc_self_fd >= 0)
		return answerer;
	immune_fail("Cannot refuse opens by fanotify: %s; it needs CAP_SYS_ADMIN and Linux 5.1",
		    strerror(errno));
	answerer_stop(answerer);
	return NULL;
}

int enforce_watch_start(struct enforce_watch **out, struct immune_enforce *enforce)
{
	struct enforce_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->enforce = enforce;
	*out = watch;
	/* Whether there can be one is known now, not with the first policy. */
	watch->now = answerer_new(enforce);
	return watch->now ? 0 : -EPERM;
}

static void counts_add(struct immune_enforce_row *row, const struct answerer *answerer)
{
	const struct enforce_judge *judge = &answerer->judge;

	row->judged += atomic_load(&judge->judged);
	row->refused += atomic_load(&judge->refused);
	row->monitored += atomic_load(&judge->monitored);
	row->capped += atomic_load(&judge->capped);
	row->failed += atomic_load(&judge->failed);
	row->hashed += atomic_load(&judge->hashed);
}

/* Their descriptors are for this one time; the marks stay as long as the group. */
static void marks_opened_forget(struct answerer *answerer)
{
	struct immune_enforce_mark mark;

	while (answerer->mark_count) {
		memcpy(&mark, answerer->rest + (answerer->mark_count - 1) * sizeof(mark),
		       sizeof(mark));
		if (mark.place != IMMUNE_PLACE_OPENED)
			return;
		answerer->mark_count--;
	}
}

int enforce_watch_prepare(struct enforce_watch *watch, const uint8_t *rest,
			  const struct enforce_watch_rest *about)
{
	struct answerer *next = answerer_new(watch->enforce);
	size_t marks = about->mark_count * sizeof(struct immune_enforce_mark);
	size_t hashes = about->hash_count * sizeof(struct immune_enforce_hash);
	int error;

	if (!next)
		return -EPERM;
	next->rest = malloc(marks + hashes + 1);
	if (next->rest) {
		memcpy(next->rest, rest, marks + hashes);
		next->mark_count = about->mark_count;
		next->judge.hashes = (const void *)(next->rest + marks);
		next->judge.hash_count = about->hash_count;
	}
	error = next->rest ? judge_begin(&next->judge, about->generation) : -ENOMEM;
	/* Who answers is there before anybody asks. */
	if (!error)
		error = answerer_run(next);
	if (!error)
		error = enforce_marks_set(&next->marking, rest, about->mark_count);
	marks_opened_forget(next);
	if (error < 0)
		answerer_stop(next);
	else
		watch->next = next;
	return error;
}

int enforce_watch_look(struct enforce_watch *watch)
{
	struct answerer *now = watch->now;

	return enforce_marks_set(&now->marking, now->rest, now->mark_count);
}

const struct enforce_left *enforce_watch_left(const struct enforce_watch *watch)
{
	return &watch->now->marking.left;
}

bool enforce_watch_asks(const struct enforce_watch *watch, uint64_t device)
{
	const struct answerer *now = watch->now;

	return !now->judge.hash_count || number_set_has(&now->marking.devices, device + 1);
}

void enforce_watch_switch(struct enforce_watch *watch, bool published)
{
	struct answerer *old = published ? watch->now : watch->next;

	if (!watch->next)
		return;
	if (published)
		watch->now = watch->next;
	watch->next = NULL;
	answerer_end(old);
	/* Also of one that was not to be: it may have answered. */
	counts_add(&watch->past, old);
	answerer_stop(old);
}

void enforce_watch_count(struct enforce_watch *watch, struct immune_enforce_row *row)
{
	row->attached = 1;
	row->judged += watch->past.judged;
	row->refused += watch->past.refused;
	row->monitored += watch->past.monitored;
	row->capped += watch->past.capped;
	row->failed += watch->past.failed;
	row->hashed += watch->past.hashed;
	counts_add(row, watch->now);
}

void enforce_watch_stop(struct enforce_watch *watch)
{
	if (!watch)
		return;
	answerer_stop(watch->now);
	free(watch);
}
