/* SPDX-License-Identifier: MIT */
/*
 * The fanotify tier: opens and execs that wait for an answer of a thread of this library, which
 * looks it up in the tables of the enforcing programs. A second thread lets everybody go when the
 * first does not answer in time.
 */
#ifndef IMMUNE_ENFORCE_WATCH_H
#define IMMUNE_ENFORCE_WATCH_H

#include "enforce.h"

struct enforce_watch;

int enforce_watch_start(struct enforce_watch **out, struct immune_enforce *enforce);

/* Takes over the marks and hashes of the policy that was published; 0 or -errno with a line. What
 * does not exist is no error: its directory is marked. */
int enforce_watch_apply(struct enforce_watch *watch, const uint8_t *rest,
			const struct immune_enforce_header *header);

void enforce_watch_count(struct enforce_watch *watch, struct immune_enforce_row *row);

/* Ends the threads and lets everybody go. A null watch is fine. */
void enforce_watch_stop(struct enforce_watch *watch);

#endif
