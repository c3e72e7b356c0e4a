// SPDX-License-Identifier: MIT
/* Waiting for records, and handing them over: a process comes before its acts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sensor.h"

#define NS_PER_MS 1000000ull

/* Copies whole records that wait in the stage. */
static void stage_take(struct immune_sensor *sensor, uint8_t *buffer, uint32_t capacity,
		       uint32_t *used)
{
	/* Bounded by the stage: each turn takes one record or ends. */
	while (sensor->stage_at < sensor->stage_length) {
		struct immune_record_header header;

		memcpy(&header, sensor->stage + sensor->stage_at, sizeof(header));
		if (header.length > capacity - *used)
			return;
		memcpy(buffer + *used, sensor->stage + sensor->stage_at, header.length);
		*used += header.length;
		sensor->stage_at += header.length;
	}
}

static bool stage_empty(const struct immune_sensor *sensor)
{
	return sensor->stage_at == sensor->stage_length;
}

/* Hands over the snapshot, which comes before all else; false when the buffer is full. */
static bool snapshot_take_records(struct immune_sensor *sensor, uint8_t *buffer, uint32_t capacity,
				  uint32_t *used)
{
	if (sensor->stage_snapshot)
		stage_take(sensor, buffer, capacity, used);
	/* Bounded by the snapshot, which only shrinks. */
	while (stage_empty(sensor) && sensor->snapshot.count) {
		sensor->stage_snapshot = true;
		sensor->stage_at = 0;
		sensor->stage_length = snapshot_drain(&sensor->snapshot, sensor->stage,
						      STAGE_BYTES);
		stage_take(sensor, buffer, capacity, used);
	}
	if (stage_empty(sensor))
		sensor->stage_snapshot = false;
	return !sensor->stage_snapshot;
}

/* Puts names of new cgroups in front, into the room that was kept for them; the new end. */
static uint32_t name_cgroups(struct immune_sensor *sensor, uint8_t *buffer, uint32_t used,
			     uint32_t room)
{
	return room ? cgroup_names_insert(sensor->cgroups, buffer, 0, used) : used;
}

/*
 * One round without waiting. What is in the watch queue and in bulk now was caused by lifecycle
 * records that are in their ring already: so take note of both, drain lifecycle, then hand over
 * both. Watched opens that found no room wait in the stage, behind the next lifecycle records: what
 * caused them may be among those.
 */
static int64_t collect(struct immune_sensor *sensor, uint8_t *buffer, uint32_t capacity)
{
	struct ring *lifecycle = &sensor->rings[IMMUNE_STREAM_LIFECYCLE];
	struct ring *bulk = &sensor->rings[IMMUNE_STREAM_BULK];
	uint64_t bulk_limit = ring_position(bulk);
	/* A small buffer is for the records alone: names of cgroups wait for a larger one. */
	uint32_t room = capacity >= 4 * CGROUP_ROOM_BYTES && sensor->cgroups ? CGROUP_ROOM_BYTES : 0;
	enum ring_end end;
	uint32_t used = 0;

	if (!snapshot_take_records(sensor, buffer, capacity - room, &used))
		return name_cgroups(sensor, buffer, used, room);
	if (stage_empty(sensor)) {
		sensor->stage_at = 0;
		sensor->stage_length = sensor->watch ? watch_drain(sensor->watch, sensor->stage,
								   STAGE_BYTES) : 0;
		if (sensor->hasher)
			sensor->stage_length += hash_drain(sensor->hasher,
							   sensor->stage + sensor->stage_length,
							   STAGE_BYTES - sensor->stage_length);
		sensor->stage_length += verdicts_drain(&sensor->verdicts,
						       sensor->stage + sensor->stage_length,
						       STAGE_BYTES - sensor->stage_length);
	}
	end = ring_drain(lifecycle, ring_position(lifecycle), buffer, capacity - room, &used);
	used = name_cgroups(sensor, buffer, used, room);
	if (end == RING_EMPTY)
		stage_take(sensor, buffer, capacity, &used);
	/* Starts of programs and watched files are among these, and not in bulk. */
	if (sensor->hasher && end != RING_BROKEN)
		hash_note(sensor->hasher, buffer, used);
	if (end == RING_EMPTY)
		end = ring_drain(bulk, bulk_limit, buffer, capacity, &used);
	if (end == RING_BROKEN) {
		immune_fail("Cannot read the sensor's ring: a record has a length that none can "
			    "have, restart the sensor");
		return -EIO;
	}
	return used;
}

/*
 * Milliseconds to wait. A record that came soon after a wake-up brings none of its own: so after
 * data look again as soon as the interval is over.
 */
static int wait_ms(const struct immune_sensor *sensor, uint64_t now_ns, uint64_t deadline_ns)
{
	uint64_t interval_ns = __atomic_load_n(&sensor->control.wake_interval_ns, __ATOMIC_RELAXED);
	uint64_t until_ns = deadline_ns;

	if (now_ns < sensor->last_data_ns + interval_ns &&
	    sensor->last_data_ns + interval_ns < until_ns)
		until_ns = sensor->last_data_ns + interval_ns;
	return (int)((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Waits once; true when somebody asked for the wait to end. */
static bool wait_once(struct immune_sensor *sensor, int timeout_ms)
{
	struct epoll_event events[3];
	int count = epoll_wait(sensor->epoll, events, 3, timeout_ms);
	bool woken = false;
	uint64_t value;

	for (int i = 0; i < count; i++)
		if (events[i].data.fd == sensor->wake)
			woken = read(sensor->wake, &value, sizeof(value)) == sizeof(value);
	return woken;
}

IMMUNE_EXPORT int64_t immune_sensor_poll(struct immune_sensor *sensor, uint8_t *buffer,
					 uint32_t capacity, uint32_t timeout_ms)
{
	uint64_t now_ns = clock_boot_ns();
	uint64_t deadline_ns = now_ns + timeout_ms * NS_PER_MS;
	bool woken = false;
	int64_t used;

	if (!sensor || !buffer || capacity < IMMUNE_RECORD_BYTES_MAX) {
		immune_fail("Cannot poll into a buffer of %u bytes: give at least %u", capacity,
			    (uint32_t)IMMUNE_RECORD_BYTES_MAX);
		return -EINVAL;
	}
	pthread_mutex_lock(&sensor->poll_lock);
	/* Bounded by the deadline. */
	for (;;) {
		used = collect(sensor, buffer, capacity);
		now_ns = clock_boot_ns();
		if (used || woken || now_ns >= deadline_ns)
			break;
		woken = wait_once(sensor, wait_ms(sensor, now_ns, deadline_ns));
	}
	if (used > 0)
		sensor->last_data_ns = now_ns;
	pthread_mutex_unlock(&sensor->poll_lock);
	return used;
}

void sensor_rescue(struct immune_sensor *sensor, struct ring *ring)
{
	/* Nobody writes to it any more; what comes meanwhile is another sensor's to read. */
	uint64_t limit = ring_position(ring);
	uint8_t *buffer = malloc(STAGE_BYTES);
	uint32_t used = STAGE_BYTES;

	/* Bounded by the ring: each turn takes a part of it. */
	while (buffer && used) {
		used = 0;
		ring_drain(ring, limit, buffer, STAGE_BYTES, &used);
		for (uint32_t at = 0; at < used;) {
			struct immune_record_header *header = (void *)(buffer + at);

			at += header->length;
			if (header->kind == IMMUNE_KIND_VERDICT)
				verdicts_push(&sensor->verdicts, header);
		}
	}
	free(buffer);
}

IMMUNE_EXPORT int64_t immune_sensor_wake(struct immune_sensor *sensor)
{
	uint64_t one = 1;

	if (!sensor)
		return immune_misused("wake the sensor");
	if (write(sensor->wake, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN)
		return 0;
	immune_fail("Cannot wake the sensor: %s", strerror(errno));
	return -errno;
}
