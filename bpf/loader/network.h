/* SPDX-License-Identifier: MIT */
/* Which records of connections a policy needs: its section of the blob, and the kernel's maps. */
#ifndef IMMUNE_NETWORK_APPLY_H
#define IMMUNE_NETWORK_APPLY_H

#include <stdint.h>

#include "immune_sensor.h"

struct immune_sensor;

/* Bytes of the section that a header says there is; 0 for a policy without a filter. */
uint64_t network_bytes(const struct immune_policy_header *header);

/* Checks the section; what is wrong at which byte of it, or NULL. */
const char *network_check(const struct immune_policy_header *header, const uint8_t *section,
			  uint64_t *where);

/*
 * Writes a section that was checked beside the filter in force, and names it in sensor->control; the
 * caller publishes that. 0 or -errno with a line; what was in force stays then.
 */
int network_apply(struct immune_sensor *sensor, const struct immune_policy_header *header,
		  const uint8_t *section);

#endif
