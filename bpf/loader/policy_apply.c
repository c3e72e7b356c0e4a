// SPDX-License-Identifier: MIT
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "listed.h"
#include "network.h"
#include "sensor.h"
#include "verify.h"

#define KIND_BIT(kind) (1ull << IMMUNE_KIND_##kind)

/* As it is before the first policy: every kind that is seen without one. */
static const struct policy nothing = {
	.header = {
		.kind_mask = ~(KIND_BIT(LISTEN) | KIND_BIT(ACCEPT) | KIND_BIT(FLOW) |
			       KIND_BIT(DNS) | KIND_BIT(SIGNAL) | KIND_BIT(ACCESS)),
		.wake_interval_us = WAKE_INTERVAL_DEFAULT_US,
	},
};

static int opens_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return sensor_want_opens(sensor, policy->header.flags & IMMUNE_POLICY_WIDE_OPEN);
}

static int identity_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return sensor_want_identity(sensor, policy->header.flags & IMMUNE_POLICY_IDENTITY);
}

static int hashes_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return sensor_want_hashes(sensor, policy->header.flags);
}

static int calls_step(struct immune_sensor *sensor, const struct policy *policy)
{
	bool wanted = policy->header.flags & IMMUNE_POLICY_CALLS;

	/* On Linux 5.12 (object.c) it cannot be; the rest of the policy holds all the same. */
	if (sensor_has_calls(sensor))
		return sensor_want_calls(sensor, wanted);
	if (wanted)
		immune_fail("Cannot tell of acts and accesses: programs of this kernel have no "
			    "callbacks, use Linux 5.13 or later");
	return wanted;
}

static int kinds_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return sensor_want_kinds(sensor, policy->header.kind_mask);
}

static int control_step(struct immune_sensor *sensor, const struct policy *policy)
{
	const struct immune_policy_header *header = &policy->header;
	struct immune_control *control = &sensor->control;

	control->kind_mask = header->kind_mask;
	control->public_peers = !!(header->flags & IMMUNE_POLICY_PUBLIC_PEERS);
	/* Until its marks and networks are there nothing is filtered by them. */
	control->open_filtered = control->network_filtered = 0;
	control->open_every = header->open_every;
	control->open_deep = header->open_deep;
	control->process_rate = header->process_rate;
	control->cgroup_rate = header->cgroup_rate;
	__atomic_store_n(&control->wake_interval_ns, header->wake_interval_us * 1000ull,
			 __ATOMIC_RELAXED);
	return sensor_publish(sensor);
}

static int roles_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return roles_apply(sensor, policy->roles, policy->header.mark_count,
			   policy->header.term_count);
}

static int networks_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return network_apply(sensor, &policy->header, policy->networks);
}

static int listed_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return listed_apply(sensor, &policy->header, policy->listed);
}

static int devices_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return sensor_want_devices(sensor, policy->watches, policy->header.watch_count);
}

/* Opens are filtered from here on: by marks and lists that are all there. */
static int filter_step(struct immune_sensor *sensor, const struct policy *policy)
{
	bool wanted = policy->header.flags & IMMUNE_POLICY_OPEN_FILTER;

	sensor->control.open_filtered = wanted ? ++sensor->open_generation : 0;
	return sensor_publish(sensor);
}

static int watches_step(struct immune_sensor *sensor, const struct policy *policy)
{
	return watch_apply(sensor->watch, policy->watches, policy->header.watch_count);
}

/* What is refused most comes first. Each gives how many watches it could not set, or -errno. */
static int (*const steps[])(struct immune_sensor *, const struct policy *) = {
	opens_step, identity_step, hashes_step, calls_step,   kinds_step,  control_step,
	roles_step, networks_step, listed_step, devices_step, filter_step, watches_step,
};
#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

static int policy_set(struct immune_sensor *sensor, const struct policy *policy)
{
	int refused = 0;

	for (size_t i = 0; i < STEP_COUNT; i++) {
		int result = steps[i](sensor, policy);

		if (result < 0)
			return result;
		refused += result;
	}
	return refused;
}

/*
 * Each step is made, also behind one that fails; but nothing is filtered by half a filter. 0 or
 * -errno.
 */
static int policy_set_again(struct immune_sensor *sensor, const struct policy *policy)
{
	int error = 0;

	for (size_t i = 0; i < STEP_COUNT; i++) {
		bool skipped = error && steps[i] == filter_step;
		int result = skipped ? sensor_publish(sensor) : steps[i](sensor, policy);

		if (result < 0 && !error)
			error = result;
	}
	return error;
}

/* Goes back to the policy before; the line stays that of the failure. */
static void policy_undo(struct immune_sensor *sensor)
{
	const struct policy *before = sensor->policy ? sensor->policy : &nothing;
	char why[IMMUNE_ERROR_BYTES];
	int error;

	snprintf(why, sizeof(why), "%s", immune_failure());
	error = policy_set_again(sensor, before);
	if (error)
		immune_fail("%.300s; the policy before is not whole in force either: %s",
			    why[0] ? why : "Cannot set the policy", strerror(-error));
	else
		immune_fail("%s", why);
}

int64_t policy_apply(struct immune_sensor *sensor, struct policy *policy)
{
	int64_t result = policy_set(sensor, policy);

	if (result >= 0) {
		free(sensor->policy);
		sensor->policy = policy;
	} else {
		policy_undo(sensor);
		free(policy);
	}
	verify_note(sensor);
	return result;
}
