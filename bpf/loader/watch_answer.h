/* SPDX-License-Identifier: MIT */
/* Answers opens and writes their records. */
#ifndef IMMUNE_WATCH_ANSWER_H
#define IMMUNE_WATCH_ANSWER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "guardian.h"
#include "watch_mark.h"
#include "watch_queue.h"
#include "watch_quiet.h"
#include "watch_set.h"
#include "watch_who.h"

struct watch_answer {
	struct watch_groups groups;
	struct guardian *guardian; /* of groups.files */
	struct watch_maps maps;
	int wake_eventfd;
	int proc_self_fd; /* /proc/self/fd */
	int poke_eventfd; /* losses to report, something that the guardian let go, or the end */
	uint32_t own_pid;
	pthread_mutex_t current_lock; /* held while set is used or exchanged; memory work only */
	struct watch_set *set;
	struct watch_names names; /* of the open that is judged; the answering thread's */
	struct watch_queue queue;
	struct watch_quiet quiet;
	int follow_eventfd; /* for the following thread: quiet is full, or the end */
	_Atomic uint32_t stopping;
	_Atomic uint64_t losses; /* not yet in the queue as a loss record */
	uint64_t unseen; /* of the guardian's, those that are counted by now */
	_Atomic uint64_t sequence;
	/* seen = submitted + filtered + ring_full + unreadable; an open counts once for each path
	 * that it is told under */
	_Atomic uint64_t submitted, filtered, ring_full, unreadable;
};

/* Body of the answering thread: ends when stopping is set and poke_eventfd written. */
void *watch_answer_run(void *answer);

/* Counts opens that may have gone unseen and has the thread report them. Any thread. */
void watch_answer_lost(struct watch_answer *answer, uint32_t count);

#endif
