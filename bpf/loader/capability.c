// SPDX-License-Identifier: MIT
/* What works on this host: each tried on a sensor of its own, by an act whose record must come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capability_act.h"
#include "sensor.h"

/* Rings of the trial: large enough for what a busy host adds while it runs. */
#define TRIAL_RING_BYTES (1u << 20)
/* How long a record may take that the kernel writes while the act is done, and one that a thread of
 * ours writes, which has its turn when a busy host gives it one: all of them together stay below the
 * ten seconds of the interface. */
#define TRIAL_WAIT_NS 250000000ull
#define TRIAL_THREAD_WAIT_NS 2000000000ull
#define TRIAL_POLL_MS 20
#define TRIAL_BUFFER_BYTES (64u << 10)

static void row_set(struct immune_capability_row *row, enum immune_capability_state state,
		    int error)
{
	row->state = (uint16_t)state;
	row->error = -error;
	row->reason[0] = 0;
	if (state == IMMUNE_CAP_REFUSED)
		snprintf(row->reason, sizeof(row->reason), "%s", immune_failure());
	if (state == IMMUNE_CAP_SILENT)
		snprintf(row->reason, sizeof(row->reason),
			 "Attached without error, but its own test act was not seen");
}

static bool batch_has(const uint8_t *buffer, int64_t length, const struct act *act)
{
	/* Bounded by the batch. */
	for (int64_t at = 0; at < length;) {
		struct immune_record_header header;

		memcpy(&header, buffer + at, sizeof(header));
		if (act->seen(buffer + at, &header))
			return true;
		at += header.length;
	}
	return false;
}

/* What a thread of ours tells. */
static bool is_by_thread(uint16_t capability)
{
	return capability == IMMUNE_CAP_WATCH || capability == IMMUNE_CAP_CHANGE ||
	       capability == IMMUNE_CAP_HASH;
}

/* Acts, then looks for the record of it. */
static void observe(struct immune_sensor *sensor, const struct act *act,
		    struct immune_capability_row *row)
{
	static __thread uint8_t buffer[TRIAL_BUFFER_BYTES];
	int error = act->perform ? act->perform() : 0;
	uint64_t deadline_ns = clock_boot_ns() + (is_by_thread(row->capability) ?
						  TRIAL_THREAD_WAIT_NS : TRIAL_WAIT_NS);

	if (error) {
		immune_fail("Cannot perform the test act: %s", strerror(-error));
		row_set(row, IMMUNE_CAP_REFUSED, error);
		return;
	}
	while (clock_boot_ns() < deadline_ns) {
		int64_t length = immune_sensor_poll(sensor, buffer, sizeof(buffer), TRIAL_POLL_MS);

		if (length > 0 && batch_has(buffer, length, act)) {
			row_set(row, IMMUNE_CAP_WORKS, 0);
			return;
		}
	}
	row_set(row, IMMUNE_CAP_SILENT, 0);
}

static int attach_sockets(struct immune_sensor *sensor)
{
	return sensor->cgroup < 0 ? sensor->cgroup : sensor_attach_sockets(sensor);
}

static int attach_opens(struct immune_sensor *sensor)
{
	return sensor_want_opens(sensor, true);
}

static int attach_identity(struct immune_sensor *sensor)
{
	return sensor_want_identity(sensor, true);
}

static int attach_flows(struct immune_sensor *sensor)
{
	return sensor_want_kinds(sensor, 1ull << IMMUNE_KIND_FLOW);
}

static int attach_dns(struct immune_sensor *sensor)
{
	if (sensor->cgroup < 0)
		return sensor->cgroup;
	return sensor_want_kinds(sensor, 1ull << IMMUNE_KIND_FLOW | 1ull << IMMUNE_KIND_DNS);
}

static int attach_signals(struct immune_sensor *sensor)
{
	return sensor_want_kinds(sensor, 1ull << IMMUNE_KIND_SIGNAL);
}

static int attach_bloom(struct immune_sensor *sensor)
{
	return sensor->cgroup < 0 ? sensor->cgroup : act_bloom_prepare(sensor);
}

static int attach_watch(struct immune_sensor *sensor)
{
	int error = sensor_attach_watch(sensor);

	return error ? error : act_watch_prepare(sensor->watch);
}

/* Of the file that is watched by now, where that could be had: else it says once more why not. */
static int attach_change(struct immune_sensor *sensor)
{
	return *act_watched() ? 0 : attach_watch(sensor);
}

/* In the order of trial: the snapshot needs the lifecycle programs, the wide stream comes last. */
static const struct {
	enum immune_capability capability;
	int (*attach)(struct immune_sensor *sensor);
	const struct act *act;
} trials[] = {
	{ IMMUNE_CAP_EXEC, sensor_attach_lifecycle, &act_exec },
	{ IMMUNE_CAP_SNAPSHOT, sensor_snapshot, &act_snapshot },
	{ IMMUNE_CAP_CONNECT, attach_sockets, &act_connect },
	{ IMMUNE_CAP_WATCH, attach_watch, &act_watch },
	{ IMMUNE_CAP_IDENTITY, attach_identity, &act_identity },
	{ IMMUNE_CAP_FLOW, attach_flows, &act_flow },
	{ IMMUNE_CAP_DNS, attach_dns, &act_dns },
	{ IMMUNE_CAP_SIGNAL, attach_signals, &act_signal },
	{ IMMUNE_CAP_BLOOM, attach_bloom, &act_bloom },
	{ IMMUNE_CAP_CHANGE, attach_change, &act_change },
	{ IMMUNE_CAP_HASH, act_hash_prepare, &act_hash },
	{ IMMUNE_CAP_DEVICE, act_device_prepare, &act_device },
	{ IMMUNE_CAP_ACCESS, act_calls_prepare, &act_access },
	{ IMMUNE_CAP_ACT, act_calls_prepare, &act_act },
	{ IMMUNE_CAP_WIDE_OPEN, attach_opens, &act_open },
	{ IMMUNE_CAP_RING_OPEN, act_ring_prepare, &act_ring_open },
};

_Static_assert(sizeof(trials) / sizeof(trials[0]) == IMMUNE_CAP_COUNT, "every capability is tried");

static void try_all(const struct immune_options *options, struct immune_capability_row *rows)
{
	struct immune_options own = { .abi = IMMUNE_SENSOR_ABI };
	struct immune_sensor *sensor = NULL;
	int error;

	if (options)
		own = *options;
	own.lifecycle_ring_bytes = own.bulk_ring_bytes = TRIAL_RING_BYTES;
	immune_begin();
	error = (int)immune_end("load the sensor", sensor_load(&own, &sensor));
	if (!error)
		sensor->cgroup = cgroup_open(own.cgroup_path);
	for (size_t i = 0; i < IMMUNE_CAP_COUNT; i++) {
		struct immune_capability_row *row = &rows[trials[i].capability];
		int refused = error;

		if (!error)
			immune_begin();
		/* What needs the cgroup root shall say what is wrong with it: asked once more. */
		if (!error && sensor->cgroup < 0)
			cgroup_open(own.cgroup_path);
		if (!refused)
			refused = (int)immune_end("attach", trials[i].attach(sensor));
		if (refused)
			row_set(row, IMMUNE_CAP_REFUSED, refused);
		else
			observe(sensor, trials[i].act, row);
	}
	act_watch_forget();
	sensor_free(sensor);
}

IMMUNE_EXPORT int64_t immune_capabilities(const struct immune_options *options,
					  struct immune_capability_row *rows, uint32_t capacity)
{
	struct immune_capability_row all[IMMUNE_CAP_COUNT] = { 0 };

	if (!rows)
		return immune_misused("try what this host can do");
	for (uint16_t i = 0; i < IMMUNE_CAP_COUNT; i++)
		all[i].capability = i;
	try_all(options, all);
	if (capacity > IMMUNE_CAP_COUNT)
		capacity = IMMUNE_CAP_COUNT;
	memcpy(rows, all, capacity * sizeof(all[0]));
	return capacity;
}
