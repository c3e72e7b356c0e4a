/* SPDX-License-Identifier: MIT */
/* A policy that was checked, and putting it into force as a whole. */
#ifndef IMMUNE_POLICY_H
#define IMMUNE_POLICY_H

#include "internal.h"

struct immune_sensor;

struct policy {
	struct immune_policy_header header;
	/* Parts of the blob. */
	const uint8_t *watches;
	const uint8_t *roles;
	const uint8_t *networks;
	const uint8_t *listed;
	uint8_t blob[];
};

/*
 * Puts a policy into force, which is the sensor's from here on. Returns how many watches could not
 * be set in full, or -errno with a line: then the one before it is in force again. Under
 * policy_lock.
 */
int64_t policy_apply(struct immune_sensor *sensor, struct policy *policy);

#endif
