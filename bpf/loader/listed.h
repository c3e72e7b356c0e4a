/* SPDX-License-Identifier: MIT */
/* Which files indicators list: a policy's keys of them, and the kernel's Bloom map. */
#ifndef IMMUNE_LISTED_APPLY_H
#define IMMUNE_LISTED_APPLY_H

#include <stdint.h>

#include "immune_sensor.h"

struct immune_sensor;

/* Bytes of the keys that a header says there are. */
uint64_t listed_bytes(const struct immune_policy_header *header);

/*
 * Puts the keys in the place of those before, and says in sensor->control that they are there; the
 * caller publishes that. Where the kernel has no such map every open is asked for instead. 0 or
 * -errno with a line.
 */
int listed_apply(struct immune_sensor *sensor, const struct immune_policy_header *header,
		 const uint8_t *keys);

#endif
