// SPDX-License-Identifier: MIT
/* Opening and closing a sensor: load, attach lifecycle, snapshot, attach the rest. */
#include "sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "object.h"
#include "sensor.skel.h"
#include "verify.h"

uint64_t clock_boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int sensor_processes_fd(const struct immune_sensor *sensor)
{
	return bpf_map__fd(sensor->programs->maps.processes);
}

int sensor_overflowed_fd(const struct immune_sensor *sensor)
{
	return bpf_map__fd(sensor->programs->maps.overflowed);
}

int sensor_served_fd(const struct immune_sensor *sensor)
{
	return bpf_program__fd(sensor->programs->progs.on_served);
}

int sensor_file_fd(const struct immune_sensor *sensor)
{
	return bpf_program__fd(sensor->programs->progs.on_file);
}

/* What to do about an error of the kernel, as the end of an error line. */
static const char *remedy(int error)
{
	if (error == -EPERM || error == -EACCES)
		return "run as root (CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN), kernel lockdown off";
	if (error == -ENOMEM)
		return "use smaller rings";
	return "a kernel of 5.10 or later with BTF is needed";
}

static int ring_size(uint32_t wanted, uint32_t fallback, const char *name, uint32_t *out)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);

	*out = wanted ? wanted : fallback;
	if (*out >= page && *out <= RING_BYTES_MAX && !(*out & (*out - 1)))
		return 0;
	immune_fail("Cannot make a %s ring of %u bytes: use a power of two from %u to %u", name,
		    *out, page, RING_BYTES_MAX);
	return -EINVAL;
}

static int programs_load(struct immune_sensor *sensor, const struct immune_options *options,
			 const uint32_t sizes[IMMUNE_STREAM_COUNT])
{
	const char *btf = options->btf_path[0] ? options->btf_path : DEFAULT_BTF;
	LIBBPF_OPTS(bpf_object_open_opts, open_options);
	struct sensor_bpf *programs;
	int error;

	if (access(btf, R_OK)) {
		error = -errno;
		immune_fail("Cannot read kernel types \"%s\": %s, use a kernel with BTF or name "
			    "its BTF file", btf, strerror(-error));
		return error;
	}
	if (strcmp(btf, DEFAULT_BTF))
		open_options.btf_custom_path = btf;
	immune_log_begin();
	programs = sensor_object_open(&open_options);
	if (!programs) {
		error = -errno;
		immune_fail("Cannot read the sensor's programs: %s", immune_log_first());
		return error;
	}
	sensor->programs = programs;
	error = bpf_map__set_max_entries(programs->maps.lifecycle, sizes[IMMUNE_STREAM_LIFECYCLE]);
	if (!error)
		error = bpf_map__set_max_entries(programs->maps.bulk, sizes[IMMUNE_STREAM_BULK]);
	if (!error)
		error = sensor_bpf__load(programs);
	if (error)
		immune_fail("Cannot load the sensor: %s (%s; %s)", remedy(error), strerror(-error),
			    immune_log_first());
	return error;
}

/* The kernel maps whole pages; the one value is at the start. */
static int reader_map(struct immune_sensor *sensor)
{
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(sensor->programs->maps.reader), 0);

	if (page == MAP_FAILED)
		return -errno;
	sensor->reader = page;
	return 0;
}

static int rings_open(struct immune_sensor *sensor, const uint32_t sizes[IMMUNE_STREAM_COUNT])
{
	int fds[IMMUNE_STREAM_COUNT] = {
		[IMMUNE_STREAM_LIFECYCLE] = bpf_map__fd(sensor->programs->maps.lifecycle),
		[IMMUNE_STREAM_BULK] = bpf_map__fd(sensor->programs->maps.bulk),
	};
	int waited[] = { fds[0], fds[1], sensor->wake, sensor->urgent, sensor->devices.notify };
	int error = reader_map(sensor);

	for (int i = 0; i < IMMUNE_STREAM_COUNT && !error; i++)
		error = ring_map(&sensor->rings[i], fds[i], sizes[i]);
	for (size_t i = 0; i < sizeof(waited) / sizeof(waited[0]) && !error; i++) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = waited[i] };

		if (epoll_ctl(sensor->epoll, EPOLL_CTL_ADD, waited[i], &event))
			error = -errno;
	}
	if (error)
		immune_fail("Cannot map the sensor's rings: %s, %s", strerror(-error),
			    remedy(error));
	return error;
}

static struct immune_sensor *sensor_new(void)
{
	struct immune_sensor *sensor = calloc(1, sizeof(*sensor));

	if (!sensor)
		return NULL;
	pthread_mutex_init(&sensor->poll_lock, NULL);
	pthread_mutex_init(&sensor->policy_lock, NULL);
	sensor->cgroup = -1;
	sensor->epoll = epoll_create1(EPOLL_CLOEXEC);
	sensor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sensor->urgent = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sensor->devices.notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	sensor->stage = malloc(STAGE_BYTES);
	verdicts_init(&sensor->verdicts, sensor->urgent);
	sensor->control.kind_mask = ~0ull;
	sensor->control.own_pid = (uint64_t)getpid();
	sensor->control.wake_interval_ns = WAKE_INTERVAL_DEFAULT_US * 1000ull;
	return sensor;
}

int sensor_load(const struct immune_options *options, struct immune_sensor **out)
{
	static const struct immune_options defaults = { .abi = IMMUNE_SENSOR_ABI };
	uint32_t sizes[IMMUNE_STREAM_COUNT];
	struct immune_sensor *sensor;
	int error;

	if (!options)
		options = &defaults;
	if (options->abi != IMMUNE_SENSOR_ABI) {
		immune_fail("Cannot open a sensor of interface %u: this library has %u, rebuild "
			    "both", options->abi, IMMUNE_SENSOR_ABI);
		return -EINVAL;
	}
	if (options->btf_path[IMMUNE_OPTION_PATH_BYTES - 1] ||
	    options->cgroup_path[IMMUNE_OPTION_PATH_BYTES - 1]) {
		immune_fail("Cannot use the options: a path has no end within %d bytes",
			    IMMUNE_OPTION_PATH_BYTES);
		return -EINVAL;
	}
	error = ring_size(options->lifecycle_ring_bytes, LIFECYCLE_RING_BYTES_DEFAULT, "lifecycle",
			  &sizes[IMMUNE_STREAM_LIFECYCLE]);
	if (!error)
		error = ring_size(options->bulk_ring_bytes, BULK_RING_BYTES_DEFAULT, "bulk",
				  &sizes[IMMUNE_STREAM_BULK]);
	if (error)
		return error;
	sensor = sensor_new();
	if (!sensor || sensor->epoll < 0 || sensor->wake < 0 || sensor->urgent < 0 ||
	    sensor->devices.notify < 0 || !sensor->stage || !sensor->verdicts.queue.bytes) {
		immune_fail("Cannot open the sensor: out of memory or file descriptors");
		sensor_free(sensor);
		return -ENOMEM;
	}
	error = programs_load(sensor, options, sizes);
	if (!error)
		error = rings_open(sensor, sizes);
	if (!error)
		error = sensor_publish(sensor);
	if (error) {
		sensor_free(sensor);
		return error;
	}
	verify_note(sensor);
	*out = sensor;
	return 0;
}

int sensor_publish(struct immune_sensor *sensor)
{
	uint32_t key = 0;
	int fd = bpf_map__fd(sensor->programs->maps.control);

	if (!bpf_map_update_elem(fd, &key, &sensor->control, BPF_ANY))
		return 0;
	immune_fail("Cannot give the policy to the kernel: %s", strerror(errno));
	return -errno;
}

IMMUNE_EXPORT int64_t immune_sensor_open(const struct immune_options *options,
					 struct immune_sensor **out)
{
	struct immune_sensor *sensor;
	int error;

	if (!out)
		return immune_misused("open a sensor");
	*out = NULL;
	immune_begin();
	error = sensor_load(options, &sensor);
	if (error)
		return immune_end("load the sensor", error);
	sensor->cgroup = cgroup_open(options ? options->cgroup_path : NULL);
	error = sensor->cgroup < 0 ? sensor->cgroup : sensor_attach_lifecycle(sensor);
	if (!error) {
		sensor->cgroups = cgroup_names_new(sensor->cgroup);
		error = sensor->cgroups ? 0 : -ENOMEM;
	}
	if (!error)
		error = sensor_snapshot(sensor);
	if (!error)
		error = sensor_attach_sockets(sensor);
	if (!error)
		error = sensor_attach_watch(sensor);
	if (error) {
		sensor_free(sensor);
		return immune_end("start the sensor", error);
	}
	*out = sensor;
	return 0;
}

void sensor_free(struct immune_sensor *sensor)
{
	if (!sensor)
		return;
	hash_stop(sensor->hasher);
	cgroup_names_free(sensor->cgroups);
	watch_stop(sensor->watch);
	for (int i = 0; i < IMMUNE_STREAM_COUNT; i++)
		ring_unmap(&sensor->rings[i]);
	if (sensor->reader)
		munmap(sensor->reader, (size_t)sysconf(_SC_PAGESIZE));
	sensor_bpf__destroy(sensor->programs);
	snapshot_free(&sensor->snapshot);
	free(sensor->hidden.pids);
	if (sensor->cgroup >= 0)
		close(sensor->cgroup);
	if (sensor->epoll >= 0)
		close(sensor->epoll);
	if (sensor->wake >= 0)
		close(sensor->wake);
	if (sensor->urgent >= 0)
		close(sensor->urgent);
	devices_free(&sensor->devices);
	free(sensor->stage);
	free(sensor->policy);
	verdicts_free(&sensor->verdicts);
	pthread_mutex_destroy(&sensor->poll_lock);
	pthread_mutex_destroy(&sensor->policy_lock);
	free(sensor);
}

IMMUNE_EXPORT int64_t immune_sensor_close(struct immune_sensor *sensor)
{
	if (!sensor)
		return 0;
	/* A poll that is under way ends first; it holds the lock. */
	immune_sensor_wake(sensor);
	pthread_mutex_lock(&sensor->poll_lock);
	pthread_mutex_unlock(&sensor->poll_lock);
	sensor_free(sensor);
	return 0;
}
