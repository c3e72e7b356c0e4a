// SPDX-License-Identifier: MIT
/* Waiting for records, and handing them over: a process comes before its acts. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "sensor.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
/* Two rings, two eventfds, and the folders of devices. */
#define WAITED_COUNT 5

/* How a wait ended. */
enum wait_end {
	WAIT_OVER = 0, /* its time is over */
	WAIT_QUEUED = 1, /* a queue of user space has something */
	WAIT_WOKEN = 2, /* the kernel woke it */
	WAIT_ENDED = 3, /* a verdict came from user space, or somebody asked for its end */
};

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
	struct cgroup_names *names = capacity >= 4 * CGROUP_ROOM_BYTES ? sensor->cgroups : NULL;
	/* Names come in front of lifecycle, and in front of what is behind it. */
	uint32_t room = names ? CGROUP_ROOM_BYTES : 0;
	enum ring_end end;
	uint32_t used = 0, named;

	if (!snapshot_take_records(sensor, buffer, capacity - 2 * room, &used))
		return cgroup_names_insert(names, buffer, 0, used);
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
	end = ring_drain(lifecycle, ring_position(lifecycle), buffer, capacity - 2 * room, &used);
	used = named = cgroup_names_insert(names, buffer, 0, used);
	if (end == RING_EMPTY)
		stage_take(sensor, buffer, capacity - room, &used);
	/* Starts of programs and watched files are among these, and not in bulk. */
	if (sensor->hasher && end != RING_BROKEN)
		hash_note(sensor->hasher, buffer, used);
	if (end == RING_EMPTY)
		end = ring_drain(bulk, bulk_limit, buffer, capacity - room, &used);
	used = cgroup_names_insert(names, buffer, named, used);
	sensor->unfinished = end == RING_BUSY;
	if (end == RING_BROKEN) {
		immune_fail("Cannot read the sensor's ring: a record has a length that none can "
			    "have, restart the sensor");
		return -EIO;
	}
	return used;
}

/* Whether records press to be read: their room runs out, or some are here already. */
static bool presses(const struct immune_sensor *sensor)
{
	return ring_presses(&sensor->rings[IMMUNE_STREAM_LIFECYCLE]) ||
	       ring_presses(&sensor->rings[IMMUNE_STREAM_BULK]) || !stage_empty(sensor) ||
	       sensor->snapshot.count;
}

/* Waits for a wake-up, at most until then; enum wait_end. */
static enum wait_end wait_once(struct immune_sensor *sensor, uint64_t until_ns)
{
	struct pollfd waited = { .fd = sensor->epoll, .events = POLLIN };
	uint64_t now_ns = clock_boot_ns(), left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	struct timespec left = { (time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S) };
	struct epoll_event events[WAITED_COUNT];
	enum wait_end end = WAIT_OVER;
	uint64_t value;
	int count;

	/* epoll_wait(2) alone counts milliseconds. */
	if (ppoll(&waited, 1, &left, NULL) <= 0)
		return WAIT_OVER;
	count = epoll_wait(sensor->epoll, events, WAITED_COUNT, 0);
	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;

		if (fd == sensor->urgent && read(fd, &value, sizeof(value)) == sizeof(value))
			end = WAIT_ENDED;
		else if (fd == sensor->wake && read(fd, &value, sizeof(value)) == sizeof(value))
			end = end == WAIT_OVER ? WAIT_QUEUED : end;
		else if (end != WAIT_ENDED)
			end = WAIT_WOKEN;
	}
	return end;
}

/*
 * Gathers: what comes soon after a batch is left where it is until the interval is over, so that a
 * busy host pays for a turn of the reader a few hundred times a second, however much happens. The
 * kernel knows, and wakes nobody meanwhile but for a verdict or a ring that fills; what queues of
 * user space hold can wait. Returns whether somebody asked for the wait to end.
 */
static bool gather(struct immune_sensor *sensor, uint64_t deadline_ns)
{
	uint64_t until_ns = sensor->quiet_until_ns < deadline_ns ? sensor->quiet_until_ns
								 : deadline_ns;
	enum wait_end end = WAIT_QUEUED;

	/* Bounded by the time: a queue wakes once until it is taken, four there are. */
	while (end == WAIT_QUEUED && clock_boot_ns() < until_ns && !presses(sensor))
		end = wait_once(sensor, until_ns);
	return end == WAIT_ENDED;
}

/* When the next batch is to be read at the earliest: 0 for as soon as something wakes. */
static void quiet_until(struct immune_sensor *sensor, uint64_t ns)
{
	if (sensor->quiet_until_ns == ns)
		return;
	sensor->quiet_until_ns = ns;
	__atomic_store_n(&sensor->reader->quiet_until_ns, ns, __ATOMIC_SEQ_CST);
}

/* A record that is being written may have been meant to wake nobody: it is looked for again soon. */
static uint64_t wait_until(const struct immune_sensor *sensor, uint64_t now_ns,
			   uint64_t deadline_ns)
{
	uint64_t soon_ns = now_ns + NS_PER_MS;

	return sensor->unfinished && soon_ns < deadline_ns ? soon_ns : deadline_ns;
}

/* Reads until something is there, somebody wakes it, or the deadline. */
static int64_t poll_until(struct immune_sensor *sensor, uint8_t *buffer, uint32_t capacity,
			  uint64_t deadline_ns)
{
	uint64_t interval_ns = __atomic_load_n(&sensor->control.wake_interval_ns, __ATOMIC_RELAXED);
	bool ended = gather(sensor, deadline_ns);
	int64_t used;

	/* What woke nobody, as nobody waited, is read now: it is not to end the next gathering. */
	ended |= wait_once(sensor, 0) == WAIT_ENDED;
	/* Bounded by the deadline. */
	for (;;) {
		uint64_t now_ns;

		devices_note(&sensor->devices);
		if (sensor->devices.stale)
			sensor_find_devices(sensor);
		used = collect(sensor, buffer, capacity);
		now_ns = clock_boot_ns();
		if (used > 0)
			quiet_until(sensor, now_ns + interval_ns);
		if (used || ended || now_ns >= deadline_ns)
			return used;
		/* From here on an exec wakes: looked at once more, as one may just have come. */
		if (sensor->quiet_until_ns)
			quiet_until(sensor, 0);
		else
			ended = wait_once(sensor, wait_until(sensor, now_ns, deadline_ns)) ==
				WAIT_ENDED;
	}
}

IMMUNE_EXPORT int64_t immune_sensor_poll(struct immune_sensor *sensor, uint8_t *buffer,
					 uint32_t capacity, uint32_t timeout_ms)
{
	int64_t used;

	if (!sensor || !buffer || capacity < IMMUNE_RECORD_BYTES_MAX) {
		immune_fail("Cannot poll into a buffer of %u bytes: give at least %u", capacity,
			    (uint32_t)IMMUNE_RECORD_BYTES_MAX);
		return -EINVAL;
	}
	pthread_mutex_lock(&sensor->poll_lock);
	used = poll_until(sensor, buffer, capacity, clock_boot_ns() + timeout_ms * NS_PER_MS);
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
	if (write(sensor->urgent, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN)
		return 0;
	immune_fail("Cannot wake the sensor: %s", strerror(errno));
	return -errno;
}
