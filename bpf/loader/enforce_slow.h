/* SPDX-License-Identifier: MIT */
/*
 * Programs that have to be hashed before it is known whether they may run: on a thread of its own, so
 * that no other open or exec waits for the file. An act that waits for longer than a second is let go
 * by the guardian.
 */
#ifndef IMMUNE_ENFORCE_SLOW_H
#define IMMUNE_ENFORCE_SLOW_H

#include "enforce_answer.h"

/* Acts that wait for a hash; more go on, counted as failed. */
#define SLOW_ACTS_MAX 32

struct enforce_slow;

int enforce_slow_start(struct enforce_slow **out, struct enforce_judge *judge,
		       struct guardian *guardian);

/* A place of the guardian's page that holds no act of this thread. */
uint32_t enforce_slow_place(struct enforce_slow *slow);

/* Takes over an act that judge_event() asks a hash for, with the event in its place; false when too
 * many wait. */
bool enforce_slow_take(struct enforce_slow *slow, uint32_t place, const struct enforce_act *act);

/* Ends the thread; who still waits is let go with the group. A null one is fine. */
void enforce_slow_stop(struct enforce_slow *slow);

#endif
