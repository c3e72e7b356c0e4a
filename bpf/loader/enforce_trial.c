// SPDX-License-Identifier: MIT
/* What each tier can do on this host: loaded, attached, and an act of our own that it must refuse. */
#include "enforce_trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enforce.h"
#include "immune_record.h"
#include "sensor.h"

#define TRIAL_RING_BYTES (256u << 10)
/* How long a verdict's record may take once the act was refused. */
#define TRIAL_WAIT_NS 3000000000ull
#define TRIAL_POLL_MS 20
#define TRIAL_BUFFER_BYTES (64u << 10)

static const struct trial trials[IMMUNE_TRIAL_COUNT] = {
	[IMMUNE_TRIAL_LSM_EXEC] = { IMMUNE_TIER_LSM, IMMUNE_ACTION_EXEC, false },
	[IMMUNE_TRIAL_LSM_CONNECT] = { IMMUNE_TIER_LSM, IMMUNE_ACTION_CONNECT, false },
	[IMMUNE_TRIAL_LSM_OPEN] = { IMMUNE_TIER_LSM, IMMUNE_ACTION_OPEN, true },
	[IMMUNE_TRIAL_CGROUP_CONNECT] = { IMMUNE_TIER_CGROUP, IMMUNE_ACTION_CONNECT, false },
	[IMMUNE_TRIAL_FANOTIFY_EXEC] = { IMMUNE_TIER_FANOTIFY, IMMUNE_ACTION_EXEC, true },
	[IMMUNE_TRIAL_FANOTIFY_OPEN] = { IMMUNE_TIER_FANOTIFY, IMMUNE_ACTION_OPEN, true },
	[IMMUNE_TRIAL_SIGNAL_EXEC] = { IMMUNE_TIER_SIGNAL, IMMUNE_ACTION_EXEC, false },
};

struct __attribute__((packed)) trial_blob {
	struct immune_enforce_header header;
	struct immune_enforcement policy;
	struct immune_file_key file;
	struct immune_enforced_file file_row;
	struct immune_address_key address;
	struct immune_entries address_row;
	struct immune_enforce_mark mark;
};

/* A policy of one entry: the act that the trial performs. */
static void blob_fill(struct trial_blob *blob, const struct trial *trial,
		      const struct trial_target *target)
{
	memset(blob, 0, sizeof(*blob));
	blob->header = (struct immune_enforce_header){
		.magic = IMMUNE_ENFORCE_MAGIC,
		.version = IMMUNE_ENFORCE_VERSION,
		.header_length = sizeof(blob->header),
		.length = sizeof(*blob),
		.rows = { [IMMUNE_TABLE_FILES] = 1, [IMMUNE_TABLE_ADDRESSES] = 1 },
		.mark_count = 1,
	};
	blob->policy.exec = trial->action == IMMUNE_ACTION_EXEC;
	blob->policy.connect = trial->action == IMMUNE_ACTION_CONNECT;
	blob->policy.open_read = trial->action == IMMUNE_ACTION_OPEN;
	blob->policy.by_address = blob->policy.connect;
	blob->policy.blocking = 1;
	blob->policy.actions_per_minute = 1;
	blob->file.device = target->file.device;
	blob->file.inode = target->file.inode;
	blob->file_row.entries.add = 1;
	blob->address.bits = 96;
	blob->address.family = 2;
	memcpy(blob->address.address, target->address, sizeof(target->address));
	blob->address_row.add = 1;
	blob->mark.place = IMMUNE_PLACE_FILE;
	blob->mark.events = trial->action == IMMUNE_ACTION_EXEC ? IMMUNE_EVENT_EXEC
								: IMMUNE_EVENT_OPEN;
	snprintf(blob->mark.path, sizeof(blob->mark.path), "%s", target->path);
	if (!target->path[0])
		strcpy(blob->mark.path, "/immune-self-test");
}

/* What a refused child ends with: EPERM as its exit code, or the signal. */
static bool refused(const struct trial *trial, int status)
{
	if (trial->tier == IMMUNE_TIER_SIGNAL)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	return WIFEXITED(status) && WEXITSTATUS(status) == EPERM;
}

/* Whether the verdict came to the reader. */
static bool told(struct immune_sensor *sensor, const struct trial *trial)
{
	static __thread uint8_t buffer[TRIAL_BUFFER_BYTES];
	uint64_t deadline_ns = clock_boot_ns() + TRIAL_WAIT_NS;

	while (clock_boot_ns() < deadline_ns) {
		int64_t length = immune_sensor_poll(sensor, buffer, sizeof(buffer), TRIAL_POLL_MS);

		for (int64_t at = 0; at < length;) {
			struct immune_record_header header;
			struct immune_verdict_body body;

			memcpy(&header, buffer + at, sizeof(header));
			memcpy(&body, buffer + at + sizeof(header), sizeof(body));
			if (header.kind == IMMUNE_KIND_VERDICT && body.tier == trial->tier &&
			    body.action == trial->action && body.outcome <= IMMUNE_OUTCOME_KILLED)
				return true;
			at += header.length;
		}
	}
	return false;
}

static void row_set(struct immune_capability_row *row, enum immune_capability_state state,
		    int error, const char *reason)
{
	row->state = (uint16_t)state;
	row->error = -error;
	snprintf(row->reason, sizeof(row->reason), "%s", reason);
}

static void try_one(struct immune_sensor *sensor, const struct trial *trial,
		    struct immune_capability_row *row)
{
	struct immune_enforce_options options = { .abi = IMMUNE_ENFORCE_ABI,
						  .tiers = 1u << trial->tier };
	struct immune_enforce *enforce = NULL;
	struct trial_target target;
	struct trial_blob blob;
	int status = 0;
	int64_t error;

	immune_begin();
	error = immune_end("prepare the test act", trial_prepare(&target, trial));
	if (!error)
		error = immune_enforce_open(sensor, &options, &enforce);
	blob_fill(&blob, trial, &target);
	if (!error)
		error = immune_enforce_policy(enforce, (const uint8_t *)&blob, sizeof(blob));
	if (!error)
		error = immune_end("perform the test act",
				   trial_act(&target, trial->action, &status));
	if (error)
		row_set(row, IMMUNE_CAP_REFUSED, (int)error, immune_failure());
	else if (!refused(trial, status))
		row_set(row, IMMUNE_CAP_SILENT, 0,
			trial->tier == IMMUNE_TIER_LSM
				? "attached without error, but its own test act was not refused: "
				  "the kernel's list of LSMs lacks bpf"
				: "attached without error, but its own test act was not refused");
	else if (!told(sensor, trial))
		row_set(row, IMMUNE_CAP_SILENT, 0, "refused its own test act, but told nothing");
	else
		row_set(row, IMMUNE_CAP_WORKS, 0, "");
	immune_enforce_close(enforce);
	trial_forget(&target);
}

IMMUNE_EXPORT int64_t immune_enforce_trial(const struct immune_options *options,
					   struct immune_capability_row *rows, uint32_t capacity)
{
	struct immune_options own = { .abi = IMMUNE_SENSOR_ABI };
	struct immune_sensor *sensor = NULL;
	int error;

	if (!rows)
		return immune_misused("try the tiers of enforcement");
	if (options)
		own = *options;
	own.lifecycle_ring_bytes = own.bulk_ring_bytes = TRIAL_RING_BYTES;
	immune_begin();
	error = (int)immune_end("load the sensor", sensor_load(&own, &sensor));
	if (!error)
		sensor->cgroup = cgroup_open(own.cgroup_path);
	if (capacity > IMMUNE_TRIAL_COUNT)
		capacity = IMMUNE_TRIAL_COUNT;
	for (uint32_t i = 0; i < capacity; i++) {
		memset(&rows[i], 0, sizeof(rows[i]));
		rows[i].capability = (uint16_t)i;
		if (error)
			row_set(&rows[i], IMMUNE_CAP_REFUSED, error, immune_failure());
		else
			try_one(sensor, &trials[i], &rows[i]);
	}
	sensor_free(sensor);
	return capacity;
}
