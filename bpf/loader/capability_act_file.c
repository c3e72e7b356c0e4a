// SPDX-License-Identifier: MIT
/* Acts of the self-test on files: devices, changes, hashes, opens by io_uring. */
#include "capability_act.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include <bpf/libbpf.h>

#include "sensor.h"
#include "sensor.skel.h"

/* A device that hardly anybody opens. */
static const char device_path[] = "/dev/full";
/* A name that is asked for and not there: what is told is that it was. */
static const char ring_path[] = "/immune-self-test-ring";

static bool path_is_in(const uint8_t *record, const struct immune_record_header *header,
		       const char *path)
{
	return memmem(record, header->length, path, strlen(path));
}

int act_device_prepare(struct immune_sensor *sensor)
{
	struct {
		struct immune_policy_watch head;
		char path[(sizeof(device_path) + 7) & ~7u];
	} entry = { .head = { .type = IMMUNE_WATCH_FILE, .length = sizeof(device_path) - 1 } };
	int error;

	if (sensor->cgroup < 0)
		return sensor->cgroup;
	memcpy(entry.path, device_path, sizeof(device_path));
	error = sensor_want_devices(sensor, (const uint8_t *)&entry, 1);
	if (!error && !sensor->programs->links.on_device) {
		immune_fail("There is no device \"%s\" to try it with", device_path);
		return -ENODEV;
	}
	return error;
}

static int device_perform(void)
{
	int fd = open(device_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool device_seen(const uint8_t *record, const struct immune_record_header *header)
{
	return header->kind == IMMUNE_KIND_OPEN && header->source < IMMUNE_SOURCE_WATCH &&
	       path_is_in(record, header, device_path);
}

/* The watched file, in a child: our own changes are not reported. */
static int change_perform(void)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		syscall(SYS_close_range, 3, ~0u, 0);
		syscall(SYS_fchmodat, AT_FDCWD, act_watched(), 0640);
		_exit(0);
	}
	return act_reap(child);
}

static bool change_seen(const uint8_t *record, const struct immune_record_header *header)
{
	return header->kind == IMMUNE_KIND_CHANGE && *act_watched() &&
	       path_is_in(record, header, act_watched());
}

int act_hash_prepare(struct immune_sensor *sensor)
{
	return sensor_want_hashes(sensor, IMMUNE_POLICY_HASHES | IMMUNE_POLICY_HASH_EACH);
}

static bool hash_seen(const uint8_t *record, const struct immune_record_header *header)
{
	(void)record;
	return header->kind == IMMUNE_KIND_IMAGE_HASH;
}

int act_ring_prepare(struct immune_sensor *sensor)
{
	if (bpf_program__autoload(sensor->programs->progs.on_ring_open))
		return sensor_want_opens(sensor, true);
	immune_fail("This kernel shows programs no names that io_uring opens: watched files alone are "
		    "told");
	return -EOPNOTSUPP;
}

static void *map_ring(int ring, size_t length, off_t offset)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, ring, offset);
}

/* One request through a ring that was made for one. */
static int submit(int ring, const struct io_uring_params *params)
{
	size_t queue_bytes = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
	size_t entries_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
	uint8_t *queue = map_ring(ring, queue_bytes, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries = map_ring(ring, entries_bytes, IORING_OFF_SQES);
	int error = 0;

	if (queue == MAP_FAILED || entries == MAP_FAILED) {
		error = -errno;
		goto cleanup;
	}
	entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uint64_t)(uintptr_t)ring_path,
		.open_flags = O_RDONLY | O_CLOEXEC,
	};
	*(uint32_t *)(queue + params->sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(queue + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		error = errno ? -errno : -EIO;
cleanup:
	if (queue != MAP_FAILED)
		munmap(queue, queue_bytes);
	if (entries != MAP_FAILED)
		munmap(entries, entries_bytes);
	return error;
}

static int ring_perform(void)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	int error;

	if (ring < 0)
		return -errno;
	error = submit(ring, &params);
	close(ring);
	return error;
}

static bool ring_seen(const uint8_t *record, const struct immune_record_header *header)
{
	return header->kind == IMMUNE_KIND_OPEN && path_is_in(record, header, ring_path);
}

const struct act act_device = { device_perform, device_seen };
const struct act act_change = { change_perform, change_seen };
const struct act act_hash = { act_exec_perform, hash_seen };
const struct act act_ring_open = { ring_perform, ring_seen };
