/* SPDX-License-Identifier: MIT */
/* The map of processes, after hooks that keep it were off. */
#ifndef IMMUNE_PROCESSES_H
#define IMMUNE_PROCESSES_H

struct immune_sensor;

/*
 * Takes out what ended unseen and puts in what came unseen, with the label of its nearest ancestor.
 * Under policy_lock; 0 or -errno, and then it is to be called again.
 */
int processes_repair(struct immune_sensor *sensor);

#endif
