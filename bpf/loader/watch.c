// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "internal.h"
#include "thread.h"
#include "watch.h"
#include "watch_answer.h"
#include "watch_change.h"
#include "watch_record.h"

/*
 * Two threads. One answers opens and does nothing that could wait for another process. The other
 * follows names and sets marks, which may wait for a file system. apply_lock orders the latter
 * with policy changes; the answering thread never takes it.
 */
struct watch {
	struct watch_answer answer;
	struct watch_maps maps; /* for changes, which are told when who made them may have ended */
	struct watch_change *_Atomic change; /* from the first policy on that wants changes */
	pthread_mutex_t apply_lock;
	_Atomic bool following_ends;
	pthread_t answering, following;
	bool answering_runs, following_runs;
};

/* Makes quiet files heard; returns how many times opens may have gone unseen by it. */
static uint32_t clear_quiet(struct watch_answer *answer)
{
	if (watch_quiet_clear(&answer->quiet, answer->groups.files))
		return 0;
	watch_remark(&answer->groups, answer->set);
	return 1;
}

/* Following names once; also takes quiet files back when there are too many. */
static void follow_once(struct watch *watch, bool is_full)
{
	struct watch_answer *answer = &watch->answer;
	uint32_t missed;

	pthread_mutex_lock(&watch->apply_lock);
	missed = watch_follow(&answer->groups, answer->set, &answer->quiet);
	if (is_full)
		missed += clear_quiet(answer);
	pthread_mutex_unlock(&watch->apply_lock);
	if (missed)
		watch_answer_lost(answer, missed);
}

static void *follow(void *argument)
{
	struct watch *watch = argument;
	struct pollfd waits[] = {
		{ .fd = watch->answer.groups.names, .events = POLLIN },
		{ .fd = watch->answer.follow_eventfd, .events = POLLIN },
	};

	while (!atomic_load(&watch->following_ends)) {
		uint64_t asked;
		bool is_full;

		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			break;
		is_full = read(waits[1].fd, &asked, sizeof(asked)) == sizeof(asked);
		follow_once(watch, is_full && !atomic_load(&watch->following_ends));
	}
	return NULL;
}

static int start_threads(struct watch *watch)
{
	int error = thread_start(&watch->answering, watch_answer_run, &watch->answer);

	watch->answering_runs = !error;
	if (!error) {
		error = thread_start(&watch->following, follow, watch);
		watch->following_runs = !error;
	}
	return error;
}

int watch_start(struct watch **out, const struct watch_maps *maps, int wake_eventfd)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct watch_answer *answer;
	int error;

	*out = NULL;
	if (!watch)
		return -ENOMEM;
	answer = &watch->answer;
	pthread_mutex_init(&watch->apply_lock, NULL);
	pthread_mutex_init(&answer->current_lock, NULL);
	answer->groups = (struct watch_groups){ .files = -1, .names = -1 };
	watch->maps = answer->maps = *maps;
	/* Who opens waits, so he lives; a number of his may be that of one who ended. */
	answer->maps.ended = -1;
	answer->wake_eventfd = wake_eventfd;
	answer->own_pid = getpid();
	answer->proc_self_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	answer->poke_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	answer->follow_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (answer->proc_self_fd < 0 || answer->poke_eventfd < 0 || answer->follow_eventfd < 0) {
		error = -errno;
		immune_fail("Cannot watch files: %s", strerror(-error));
		goto fail;
	}
	error = -ENOMEM;
	answer->queue.bytes = malloc(WATCH_QUEUE_BYTES);
	answer->set = watch_set_new(NULL, 0, IMMUNE_WATCH_OPENS);
	if (!answer->queue.bytes || !answer->set || watch_quiet_init(&answer->quiet))
		goto fail;
	error = watch_groups_open(&answer->groups);
	/* Who lets everybody go if need be is there before anybody asks. */
	if (!error)
		error = guardian_start(&answer->guardian, answer->groups.files,
				       answer->poke_eventfd);
	if (!error)
		error = start_threads(watch);
	if (error)
		goto fail;
	*out = watch;
	return 0;
fail:
	watch_stop(watch);
	return error;
}

static int apply_opens(struct watch *watch, const uint8_t *entries, uint32_t count)
{
	struct watch_answer *answer = &watch->answer;
	struct watch_set *set, *old;
	uint32_t missed;
	int refused = 0;

	set = watch_set_new(entries, count, IMMUNE_WATCH_OPENS);
	if (!set)
		return -ENOMEM;
	pthread_mutex_lock(&watch->apply_lock);
	for (uint32_t i = 0; i < set->count; i++)
		refused += watch_refresh(&answer->groups, set, i) != 0;
	pthread_mutex_lock(&answer->current_lock);
	old = answer->set;
	answer->set = set;
	pthread_mutex_unlock(&answer->current_lock);
	watch_unmark(&answer->groups, old, set);
	/* What was a neighbour may be watched now; what is made quiet from here on is not. */
	missed = clear_quiet(answer);
	pthread_mutex_unlock(&watch->apply_lock);
	if (missed)
		watch_answer_lost(answer, missed);
	watch_set_free(old);
	return refused;
}

static bool wants_changes(const uint8_t *entries, uint32_t count)
{
	struct immune_policy_watch watch;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(&watch, entries, sizeof(watch));
		if (watch.wants & IMMUNE_WATCH_CHANGES)
			return true;
		entries += sizeof(watch) + ((watch.length + 7u) & ~7u);
	}
	return false;
}

int watch_apply(struct watch *watch, const uint8_t *entries, uint32_t count)
{
	struct watch_change *change;
	int refused = 0, refused_changes = 0;

	if (count > IMMUNE_WATCHES_MAX)
		return -EINVAL;
	change = atomic_load(&watch->change);
	if (!change && wants_changes(entries, count)) {
		refused = watch_change_start(&change, &watch->maps,
					     watch->answer.wake_eventfd);
		atomic_store(&watch->change, change);
	}
	if (change)
		refused_changes = watch_change_apply(change, entries, count);
	if (refused < 0 || refused_changes < 0)
		return refused < 0 ? refused : refused_changes;
	refused = apply_opens(watch, entries, count);
	return refused < 0 ? refused : refused + refused_changes;
}

void watch_lost(struct watch *watch, uint32_t count)
{
	watch_answer_lost(&watch->answer, count);
}

uint32_t watch_drain(struct watch *watch, uint8_t *buffer, uint32_t capacity)
{
	struct watch_change *change = atomic_load(&watch->change);
	uint32_t used = watch_queue_drain(&watch->answer.queue, buffer, capacity);

	if (change)
		used += watch_change_drain(change, buffer + used, capacity - used);
	return used;
}

bool watch_change_row(struct watch *watch, struct immune_stats_row *row)
{
	struct watch_change *change = atomic_load(&watch->change);

	if (change)
		watch_change_stats(change, row);
	return change;
}

void watch_stats(struct watch *watch, struct immune_stats_row *row)
{
	struct watch_answer *answer = &watch->answer;
	struct immune_counters *counters = &row->counters;

	memset(row, 0, sizeof(*row));
	row->kind = IMMUNE_KIND_OPEN;
	row->source = IMMUNE_SOURCE_WATCH;
	row->sequence = atomic_load(&answer->sequence);
	counters->submitted = atomic_load(&answer->submitted);
	counters->filtered = atomic_load(&answer->filtered);
	counters->ring_full = atomic_load(&answer->ring_full);
	counters->unreadable = atomic_load(&answer->unreadable);
	counters->seen = counters->submitted + counters->filtered + counters->ring_full +
			 counters->unreadable;
}

void watch_quiet_stats(struct watch *watch, struct immune_stats_row *row)
{
	struct watch_quiet *quiet = &watch->answer.quiet;
	struct immune_counters *counters = &row->counters;

	memset(row, 0, sizeof(*row));
	row->source = IMMUNE_SOURCE_WATCH;
	counters->submitted = atomic_load(&quiet->put);
	counters->ring_full = atomic_load(&quiet->full);
	counters->unreadable = atomic_load(&quiet->refused);
	counters->seen = counters->submitted + counters->ring_full + counters->unreadable;
}

static void join(pthread_t thread, bool runs, int eventfd)
{
	uint64_t one = 1;

	if (runs && write(eventfd, &one, sizeof(one)) == sizeof(one))
		pthread_join(thread, NULL);
}

/* Closing the permission group answers whoever still waits. */
void watch_stop(struct watch *watch)
{
	struct watch_answer *answer;

	if (!watch)
		return;
	answer = &watch->answer;
	watch_change_stop(atomic_load(&watch->change));
	atomic_store(&watch->following_ends, true);
	join(watch->following, watch->following_runs, answer->follow_eventfd);
	/* Nobody new waits; who does is answered, by the guardian if this thread is stuck. */
	if (answer->groups.files >= 0)
		fanotify_mark(answer->groups.files, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	atomic_store(&answer->stopping, 1);
	join(watch->answering, watch->answering_runs, answer->poke_eventfd);
	guardian_stop(answer->guardian);
	watch_groups_close(&answer->groups);
	if (answer->proc_self_fd >= 0)
		close(answer->proc_self_fd);
	if (answer->poke_eventfd >= 0)
		close(answer->poke_eventfd);
	if (answer->follow_eventfd >= 0)
		close(answer->follow_eventfd);
	watch_quiet_free(&answer->quiet);
	watch_set_free(answer->set);
	free(answer->queue.bytes);
	pthread_mutex_destroy(&answer->current_lock);
	pthread_mutex_destroy(&watch->apply_lock);
	free(watch);
}
