/* SPDX-License-Identifier: MIT */
/*
 * The guardian of a fanotify group whose events wait for an answer: a small process of its own
 * (bpf/guardian/guardian.c) that lets everybody go while this one stands still, be it stopped, held by
 * a debugger or stuck in a file system. Contract: specs/enforcement.md.
 *
 * An answer names an event by the number of its descriptor alone. Events are therefore read into
 * memory that both have: what was read and not answered is known to the guardian at any instant.
 */
#ifndef IMMUNE_GUARDIAN_H
#define IMMUNE_GUARDIAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/fanotify.h>

/* Events that are read and not answered. */
#define GUARDIAN_EVENTS_MAX 64
/* How often it looks, and at how many looks in a row an event waited in vain: a second. */
#define GUARDIAN_LOOK_MS 200
#define GUARDIAN_LOOKS_MAX 5

/* What it is started with. */
enum guardian_fd {
	GUARDIAN_FD_GROUP = 3,
	GUARDIAN_FD_PAGE = 4,
	GUARDIAN_FD_END = 5, /* hangs up when the other process ends */
	GUARDIAN_FD_POKE = 6, /* eventfd: something was let go */
	GUARDIAN_FD_COUNT = 7,
};

/* Numbers of its own events begin here, above those of the other process. */
#define GUARDIAN_EVENT_FD 1000

/* Memory that both have. */
struct guardian_page {
	_Atomic uint64_t beat; /* grows with each turn of the thread that answers */
	_Atomic uint64_t looks; /* of the guardian */
	_Atomic uint64_t unseen; /* events that the guardian read and let go */
	_Atomic uint64_t relieved; /* answers that it gave to events which were read already */
	_Atomic uint64_t turns[GUARDIAN_EVENTS_MAX]; /* how often a place was read into */
	/* As the kernel writes them. fd: 0 or more waits for its answer, -1 is none, and less is
	 * guardian_taken() of one that the guardian let go. */
	struct fanotify_event_metadata events[GUARDIAN_EVENTS_MAX];
	/* The one that the guardian has read itself and not answered; fd: -1 is none. */
	struct fanotify_event_metadata served;
};

_Static_assert(sizeof(struct guardian_page) <= 4096, "one page");
_Static_assert(FAN_EVENT_METADATA_LEN == 24, "events without information records lie in a row");

/* Its own inverse. */
static inline int32_t guardian_taken(int32_t fd)
{
	return -2 - fd;
}

struct guardian;

/* Starts the guardian of a group, whose events none but guardian_read() may read; poke_eventfd is
 * written when something was let go. 0 or -errno with a line. */
int guardian_start(struct guardian **out, int group, int poke_eventfd);

/* Says that the thread which answers goes on. */
void guardian_beat(struct guardian *guardian);

/* Reads up to `count` waiting events into the places from `first` on, whose events are answered; how
 * many, 0 when there are none or they cannot be read. One thread. */
uint32_t guardian_read(struct guardian *guardian, uint32_t first, uint32_t count);

/* The event in place i; its fd is to be closed. The guardian may have let it go by now. */
struct fanotify_event_metadata guardian_event(const struct guardian *guardian, uint32_t i);

/* What became of an answer. */
enum guardian_answered {
	GUARDIAN_ANSWERED,
	GUARDIAN_LATE, /* the guardian had let it go, and counts it */
	GUARDIAN_NOBODY, /* its opener was killed while it waited */
};

/* Answers the event in place i. Any thread, one a place. */
enum guardian_answered guardian_answer(struct guardian *guardian, uint32_t i, bool refused);

/* Events that nobody looked at, and events that were looked at too late. */
uint64_t guardian_unseen(const struct guardian *guardian);
uint64_t guardian_relieved(const struct guardian *guardian);

/* Whether one of this process ended or stands still itself; such are started again, `guarded` says
 * whether all could be. */
bool guardians_check(bool *guarded);

/* Ends it; the group stays. A null guardian is fine. */
void guardian_stop(struct guardian *guardian);

#endif
