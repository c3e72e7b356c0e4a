// SPDX-License-Identifier: MIT
#include "enforce_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "enforce_answer.h"
#include "enforce_mark.h"
#include "sensor.h"

/* Bytes of events read at once: one, so that nobody waits behind a batch. */
#define EVENT_BYTES FAN_EVENT_METADATA_LEN
/* An answer that takes longer is given by the second thread, and it is "go on". */
#define ANSWER_NS_MAX 1000000000ull
#define LOOK_MS 100

/* What answers for one policy; the next policy has its own, so that no open falls between two. */
struct answerer {
	struct enforce_judge judge;
	int group;
	int end_eventfd;
	pthread_t answering, relieving;
	bool answering_runs, relieving_runs;
	_Atomic bool stopping;
	_Atomic uint64_t busy_since_ns; /* 0 = waits for an event */
	_Atomic int busy_fd; /* -1 = the kernel opens the file of the next event */
	_Atomic uint64_t late; /* answers that the second thread gave */
	struct immune_enforce_hash *hashes;
};

struct enforce_watch {
	struct immune_enforce *enforce;
	struct answerer *now;
	struct immune_enforce_row past; /* counts of the ones before */
};

static void answer(const struct answerer *answerer, int fd, bool refused)
{
	struct fanotify_response response = { fd, refused ? FAN_DENY : FAN_ALLOW };
	/* ENOENT: answered by the other thread, or the opener was killed while it waited. */
	ssize_t written = write(answerer->group, &response, sizeof(response));

	(void)written;
}

static void handle(struct answerer *answerer, const struct fanotify_event_metadata *event)
{
	bool refused;

	if (event->fd < 0)
		return;
	atomic_store(&answerer->busy_fd, event->fd);
	atomic_store(&answerer->busy_since_ns, clock_boot_ns());
	refused = judge_event(&answerer->judge, event);
	answer(answerer, event->fd, refused);
	atomic_store(&answerer->busy_fd, -1);
	close(event->fd);
}

/* Reads events and has each taken; false when there was none. */
static bool take(struct answerer *answerer,
		 void (*each)(struct answerer *, const struct fanotify_event_metadata *))
{
	_Alignas(8) uint8_t buffer[EVENT_BYTES];
	ssize_t length = read(answerer->group, buffer, sizeof(buffer));
	const struct fanotify_event_metadata *event = (const void *)buffer;

	if (length <= 0)
		return false;
	for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
		each(answerer, event);
	return true;
}

static void *answering_run(void *argument)
{
	struct answerer *answerer = argument;
	struct pollfd waits[] = {
		{ .fd = answerer->group, .events = POLLIN },
		{ .fd = answerer->end_eventfd, .events = POLLIN },
	};

	while (!atomic_load(&answerer->stopping)) {
		/* When it fails nobody may wait for an answer all the same. */
		poll(waits, 2, -1);
		atomic_store(&answerer->busy_fd, -1);
		atomic_store(&answerer->busy_since_ns, clock_boot_ns());
		take(answerer, handle);
		atomic_store(&answerer->busy_since_ns, 0);
	}
	return NULL;
}

static void let_go(struct answerer *answerer, const struct fanotify_event_metadata *event)
{
	if (event->fd < 0)
		return;
	answer(answerer, event->fd, false);
	atomic_fetch_add(&answerer->late, 1);
	close(event->fd);
}

/* Lets everybody go while the answering thread is stuck, in a file system for instance. */
static void *relieving_run(void *argument)
{
	struct answerer *answerer = argument;
	struct pollfd wait = { .fd = answerer->end_eventfd, .events = POLLIN };
	uint64_t relieved_ns = 0;

	while (!atomic_load(&answerer->stopping)) {
		uint64_t since = atomic_load(&answerer->busy_since_ns);

		poll(&wait, 1, LOOK_MS);
		if (!since || since != atomic_load(&answerer->busy_since_ns) ||
		    clock_boot_ns() - since < ANSWER_NS_MAX)
			continue;
		if (relieved_ns != since) {
			int fd = atomic_load(&answerer->busy_fd);

			relieved_ns = since;
			if (fd >= 0) {
				answer(answerer, fd, false);
				atomic_fetch_add(&answerer->late, 1);
			}
		}
		take(answerer, let_go);
	}
	return NULL;
}

static void answerer_stop(struct answerer *answerer)
{
	uint64_t one = 1;
	ssize_t written;

	if (!answerer)
		return;
	atomic_store(&answerer->stopping, true);
	written = write(answerer->end_eventfd, &one, sizeof(one));
	(void)written;
	if (answerer->answering_runs)
		pthread_join(answerer->answering, NULL);
	if (answerer->relieving_runs)
		pthread_join(answerer->relieving, NULL);
	/* Answers whoever still waits. */
	if (answerer->group >= 0)
		close(answerer->group);
	if (answerer->end_eventfd >= 0)
		close(answerer->end_eventfd);
	if (answerer->judge.proc_self_fd >= 0)
		close(answerer->judge.proc_self_fd);
	free(answerer->hashes);
	free(answerer);
}

static int answerer_threads(struct answerer *answerer)
{
	sigset_t all, before;
	int error;

	/* Signals are for the host program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&answerer->answering, NULL, answering_run, answerer);
	answerer->answering_runs = !error;
	if (!error) {
		error = pthread_create(&answerer->relieving, NULL, relieving_run, answerer);
		answerer->relieving_runs = !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static struct answerer *answerer_new(struct immune_enforce *enforce)
{
	struct answerer *answerer = calloc(1, sizeof(*answerer));

	if (!answerer)
		return NULL;
	answerer->judge.enforce = enforce;
	answerer->group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
						FAN_UNLIMITED_MARKS,
					O_RDONLY | O_CLOEXEC | O_LARGEFILE);
	answerer->end_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	answerer->judge.proc_self_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (answerer->group >= 0 && answerer->end_eventfd >= 0 && answerer->judge.proc_self_fd >= 0)
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
	row->failed += atomic_load(&answerer->late);
}

int enforce_watch_apply(struct enforce_watch *watch, const uint8_t *rest,
			const struct immune_enforce_header *header)
{
	struct answerer *next = answerer_new(watch->enforce);
	size_t bytes = header->hash_count * sizeof(struct immune_enforce_hash);
	int error;

	if (!next)
		return -EPERM;
	next->hashes = malloc(bytes + 1);
	if (next->hashes) {
		memcpy(next->hashes, rest + header->mark_count * sizeof(struct immune_enforce_mark),
		       bytes);
		next->judge.hashes = next->hashes;
		next->judge.hash_count = header->hash_count;
	}
	error = next->hashes ? judge_begin(&next->judge) : -ENOMEM;
	/* Who answers is there before anybody asks. */
	if (!error)
		error = answerer_threads(next);
	if (!error)
		error = enforce_marks_set(next->group, rest, header->mark_count);
	if (error) {
		answerer_stop(next);
		return error;
	}
	counts_add(&watch->past, watch->now);
	answerer_stop(watch->now);
	watch->now = next;
	return 0;
}

void enforce_watch_count(struct enforce_watch *watch, struct immune_enforce_row *row)
{
	row->attached = 1;
	row->judged += watch->past.judged;
	row->refused += watch->past.refused;
	row->monitored += watch->past.monitored;
	row->capped += watch->past.capped;
	row->failed += watch->past.failed;
	counts_add(row, watch->now);
}

void enforce_watch_stop(struct enforce_watch *watch)
{
	if (!watch)
		return;
	answerer_stop(watch->now);
	free(watch);
}
