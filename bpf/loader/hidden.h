/* SPDX-License-Identifier: MIT */
/* Processes that hide from /proc while the sensor runs. */
#ifndef IMMUNE_HIDDEN_H
#define IMMUNE_HIDDEN_H

#include <stdint.h>

struct immune_sensor;

/* A round over all processes, a part of it at a time. */
struct hidden_round {
	uint32_t *pids;
	uint32_t count;
	uint32_t at;
};

/*
 * Looks at the next HIDDEN_LOOKED_MAX processes that the kernel knows: what /proc does not show is
 * told with the next records, once a process. Does nothing while a poll is under way.
 */
void hidden_look(struct immune_sensor *sensor);

#endif
