/* SPDX-License-Identifier: MIT */
/*
 * The fanotify tier: opens and execs that wait for an answer of a thread of this library, which
 * looks it up in the tables of the enforcing programs. A guardian (guardian.h) lets everybody go when
 * the thread does not answer in time.
 */
#ifndef IMMUNE_ENFORCE_WATCH_H
#define IMMUNE_ENFORCE_WATCH_H

#include <stdbool.h>

#include "enforce.h"
#include "enforce_left.h"

struct enforce_watch;

int enforce_watch_start(struct enforce_watch **out, struct immune_enforce *enforce);

/* What follows the rows of a policy: its marks, then its hashes. */
struct enforce_watch_rest {
	uint32_t generation; /* whose rows are written */
	uint32_t mark_count, hash_count;
};

/* Sets the marks of a policy that is not in force yet, and answers for them; 0 or -errno with a line.
 * What does not exist is no error: its directory is marked. */
int enforce_watch_prepare(struct enforce_watch *watch, const uint8_t *rest,
			  const struct enforce_watch_rest *about);

/* Marks what came to the places of the policy in force since; 0 or -errno with a line. */
int enforce_watch_look(struct enforce_watch *watch);

/* What of the policy in force nobody was asked about when its places were looked at last. */
const struct enforce_left *enforce_watch_left(const struct enforce_watch *watch);

/* Whether programs of a file system are asked about by hash, or none are. */
bool enforce_watch_asks(const struct enforce_watch *watch, uint64_t device);

/* Ends the policy before, or the one that was prepared if it was not published. */
void enforce_watch_switch(struct enforce_watch *watch, bool published);

void enforce_watch_count(struct enforce_watch *watch, struct immune_enforce_row *row);

/* Ends the threads and lets everybody go. A null watch is fine. */
void enforce_watch_stop(struct enforce_watch *watch);

#endif
