// SPDX-License-Identifier: MIT
#include "harness_test.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "immune_enforce.h"

static uint8_t batch[BATCH_BYTES] __attribute__((aligned(8)));

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct immune_sensor *sensor_with(uint32_t lifecycle_bytes, uint32_t bulk_bytes)
{
	struct immune_options options = { .abi = IMMUNE_SENSOR_ABI };
	struct immune_sensor *sensor;
	char line[512] = "";

	options.lifecycle_ring_bytes = lifecycle_bytes;
	options.bulk_ring_bytes = bulk_bytes;
	if (immune_sensor_open(&options, &sensor))
		immune_error(line, sizeof(line));
	must(!line[0], "%s", line);
	return sensor;
}

struct immune_enforce *enforce_by_fanotify(struct immune_sensor *sensor)
{
	const struct immune_enforce_options options = { .abi = IMMUNE_ENFORCE_ABI,
							.tiers = 1u << IMMUNE_TIER_FANOTIFY };
	struct immune_enforce *enforce = NULL;
	char line[512] = "";

	if (immune_enforce_open(sensor, &options, &enforce))
		immune_error(line, sizeof(line));
	must(enforce, "%s", line);
	return enforce;
}

static void policy_of(struct immune_sensor *sensor, uint32_t flags, uint64_t kind_mask, uint32_t us)
{
	struct immune_policy_header policy = {
		.magic = IMMUNE_POLICY_MAGIC,
		.version = IMMUNE_POLICY_VERSION,
		.header_length = sizeof(policy),
		.length = sizeof(policy),
		.flags = flags,
		.kind_mask = kind_mask,
		.wake_interval_us = us,
	};
	char line[512] = "";

	if (immune_sensor_policy(sensor, (const uint8_t *)&policy, sizeof(policy)))
		immune_error(line, sizeof(line));
	must(!line[0], "%s", line);
}

void policy_set(struct immune_sensor *sensor, uint32_t flags, uint64_t kind_mask)
{
	policy_of(sensor, flags, kind_mask, 2000);
}

void policy_paced(struct immune_sensor *sensor, uint64_t kind_mask, uint32_t us)
{
	policy_of(sensor, 0, kind_mask, us);
}

int poll_once(struct immune_sensor *sensor, uint32_t timeout_ms, record_visitor visit, void *state)
{
	int64_t length = immune_sensor_poll(sensor, batch, sizeof(batch), timeout_ms);
	int count = 0;

	must(length >= 0, "poll gave %lld", (long long)length);
	for (int64_t at = 0; at < length; count++) {
		const struct immune_record_header *record = (const void *)(batch + at);

		must(record->length >= sizeof(*record) && record->length % 8 == 0 &&
		     record->length <= length - at, "record of %u bytes", record->length);
		must(record->header_length == sizeof(*record) && record->version == 1, "header");
		if (visit)
			visit(record, state);
		at += record->length;
	}
	return count;
}

void poll_until(struct immune_sensor *sensor, record_visitor visit, void *state, const bool *done)
{
	double end = seconds_now() + PATIENCE_MS * 1e-3;

	while (!*done && seconds_now() < end)
		poll_once(sensor, 50, visit, state);
}

void poll_out(struct immune_sensor *sensor, record_visitor visit, void *state)
{
	while (poll_once(sensor, 20, visit, state))
		;
}

struct immune_counters counters_of(struct immune_sensor *sensor, uint16_t kind, uint16_t from,
				   uint16_t to, uint64_t *sequences)
{
	static struct immune_stats_row rows[ROWS_MAX];
	int64_t count = immune_sensor_stats(sensor, rows, ROWS_MAX);
	struct immune_counters sum = { 0 };
	uint64_t last = 0;
	int32_t last_source = -1;

	must(count >= 0 && count <= ROWS_MAX, "stats gave %lld", (long long)count);
	for (uint32_t source = from; source <= to; source++)
		for (int64_t i = 0; i < count; i++) {
			const struct immune_counters *row = &rows[i].counters;

			if (rows[i].source != source || !rows[i].kind)
				continue;
			if (kind && rows[i].kind != kind)
				continue;
			sum.seen += row->seen;
			sum.submitted += row->submitted;
			sum.filtered += row->filtered;
			sum.ring_full += row->ring_full;
			sum.oversized += row->oversized;
			sum.unreadable += row->unreadable;
			if ((int32_t)source != last_source)
				last += rows[i].sequence;
			last_source = (int32_t)source;
		}
	if (sequences)
		*sequences = last;
	return sum;
}

const void *body_of(const struct immune_record_header *record)
{
	return (const uint8_t *)record + record->header_length;
}

const uint8_t *slot_of(const struct immune_record_header *record, int index, uint32_t *length)
{
	const uint8_t *start = (const uint8_t *)record;
	const struct immune_slot *slots =
		(const void *)(start + record->header_length + record->body_length);

	must(index < record->slot_count, "slot %d of %u", index, record->slot_count);
	must(slots[index].offset + slots[index].length <= record->length, "slot %d outside", index);
	*length = slots[index].length;
	return start + slots[index].offset;
}

bool slot_is(const struct immune_record_header *record, int index, const char *text)
{
	uint32_t length;
	const uint8_t *bytes = slot_of(record, index, &length);

	return length == strlen(text) && !memcmp(bytes, text, length);
}

pid_t run_and_wait(const char *program, char *const arguments[])
{
	char *environment[] = { NULL };
	pid_t child;
	int status;
	int error = posix_spawn(&child, program, NULL, NULL, arguments, environment);

	must(!error, "cannot start %s: %s", program, strerror(error));
	must(waitpid(child, &status, 0) == child, "cannot wait");
	return child;
}

pid_t child_of(void (*body)(void *), void *argument, int *status)
{
	pid_t child = fork();

	must(child >= 0, "cannot fork");
	if (!child) {
		body(argument);
		_exit(0);
	}
	must(waitpid(child, status, 0) == child, "cannot wait");
	return child;
}
