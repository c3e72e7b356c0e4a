// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "watch_answer.h"
#include "watch_record.h"

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
	watch_loss_fill(&loss, IMMUNE_KIND_OPEN, count, atomic_load(&answer->sequence) + 1);
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

/* Under each path at which it is watched, so that what asks for one of them has it. */
static void report_each(struct watch_answer *answer, struct watch_record *record)
{
	const struct watch_names *names = &answer->names;

	if (names->own)
		report(answer, record);
	for (uint32_t i = 0; i < names->count; i++) {
		watch_record_rename(record, names->paths[i]);
		report(answer, record);
	}
	if (names->over)
		watch_answer_lost(answer, names->over);
}

static enum watch_verdict judge(struct watch_answer *answer, const struct watch_record *record)
{
	const struct watch_file file = {
		.path = record->path,
		.device = record->body.device,
		.inode = record->body.inode,
	};
	enum watch_verdict verdict;

	pthread_mutex_lock(&answer->current_lock);
	verdict = watch_set_judge(answer->set, &file, &answer->names);
	pthread_mutex_unlock(&answer->current_lock);
	return verdict;
}

/*
 * Of a file with one name, whose every new name the following thread is told of. What became of
 * it since it was judged is looked at again when the mark is set: a rename, link or policy before
 * that is seen here, and one after it finds the mark and takes it away.
 */
static void make_quiet(struct watch_answer *answer, int fd, const struct watch_record *record)
{
	int permission = answer->groups.files;
	struct watch_record now;
	uint32_t links;

	switch (watch_quiet_begin(&answer->quiet, permission, fd, record->path)) {
	case WATCH_QUIET_PUT:
		links = watch_record_file(&now, answer->proc_self_fd, fd);
		watch_quiet_end(&answer->quiet, permission, fd,
				links == 1 && judge(answer, &now) == WATCH_NEIGHBOUR);
		break;
	case WATCH_QUIET_FULL:
		poke(answer->follow_eventfd);
		break;
	default:
		break;
	}
}

static void handle(struct watch_answer *answer, uint32_t i)
{
	const struct fanotify_event_metadata event = guardian_event(answer->guardian, i);
	enum watch_verdict verdict;
	struct watch_record record;
	uint32_t links;

	if (event.mask & FAN_Q_OVERFLOW) {
		watch_answer_lost(answer, 1);
		return;
	}
	if (event.fd < 0)
		return;
	links = watch_record_file(&record, answer->proc_self_fd, event.fd);
	verdict = judge(answer, &record);
	/* Of a thread this reads /proc, which takes longer than all else here. */
	if (verdict == WATCH_WANTED)
		watch_who(&record.header, &answer->maps, event.pid);
	guardian_answer(answer->guardian, i, false);
	if (verdict == WATCH_WANTED && record.header.pid != answer->own_pid)
		report_each(answer, &record);
	else
		atomic_fetch_add(&answer->filtered, 1);
	if (verdict == WATCH_NEIGHBOUR && links == 1 && answer->groups.targets &&
	    watch_quiet_due(&answer->quiet, record.body.device, record.body.inode))
		make_quiet(answer, event.fd, &record);
	close(event.fd);
}

/* Opens that the guardian let go while this process stood still. */
static void count_unseen(struct watch_answer *answer)
{
	uint64_t unseen = guardian_unseen(answer->guardian);

	if (unseen != answer->unseen)
		watch_answer_lost(answer, (uint32_t)(unseen - answer->unseen));
	answer->unseen = unseen;
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
		{ .fd = answer->groups.files, .events = POLLIN },
		{ .fd = answer->poke_eventfd, .events = POLLIN },
	};

	while (!atomic_load(&answer->stopping)) {
		uint32_t count;

		/* When it fails nobody may wait for an answer all the same. */
		if (poll(waits, 2, -1) > 0 && waits[1].revents)
			drain_poke(answer);
		guardian_beat(answer->guardian);
		/* EMFILE and the like: the kernel has denied that opener itself; go on. */
		count = guardian_read(answer->guardian, 0, GUARDIAN_EVENTS_MAX);
		for (uint32_t i = 0; i < count; i++)
			handle(answer, i);
		count_unseen(answer);
		report_losses(answer);
	}
	return NULL;
}
