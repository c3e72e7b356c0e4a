// SPDX-License-Identifier: MIT
/* Attaching the programs to the kernel, each with an error line that names it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "hash_file.h"
#include "sensor.h"
#include "sensor.skel.h"

/* Attaches a traced program and keeps its link; 0 or -errno. */
static int trace(struct bpf_program *program, struct bpf_link **link)
{
	int error;

	immune_log_begin();
	*link = bpf_program__attach(program);
	if (*link)
		return 0;
	error = -errno;
	immune_fail("Cannot attach program \"%s\" (%s): the kernel refused it, run as root with "
		    "CAP_BPF and CAP_PERFMON", bpf_program__name(program), strerror(-error));
	return error;
}

static int detach(struct bpf_link **link)
{
	int error = bpf_link__destroy(*link);

	*link = NULL;
	return error;
}

int sensor_attach_lifecycle(struct immune_sensor *sensor)
{
	struct sensor_bpf *programs = sensor->programs;
	int error = trace(programs->progs.on_exec, &programs->links.on_exec);

	if (!error)
		error = trace(programs->progs.on_fork, &programs->links.on_fork);
	if (!error)
		error = trace(programs->progs.on_exit, &programs->links.on_exit);
	return error;
}

int sensor_snapshot(struct immune_sensor *sensor)
{
	int error = snapshot_take(&sensor->snapshot, sensor->programs->progs.on_snapshot);

	if (error)
		return error;
	sensor->snapshot.processes =
		snapshot_agrees(&sensor->snapshot) ? sensor_processes_fd(sensor) : -1;
	/* From here on a process that the map does not know has ended before. */
	sensor->control.snapshot_done = 1;
	return sensor_publish(sensor);
}

int sensor_refresh(const struct immune_sensor *sensor)
{
	struct snapshot refresh = { 0 };
	int error = snapshot_take(&refresh, sensor->programs->progs.on_snapshot);

	snapshot_free(&refresh);
	return error;
}

static int to_cgroup(struct bpf_program *program, struct bpf_link **link, int cgroup)
{
	int error;

	immune_log_begin();
	*link = bpf_program__attach_cgroup(program, cgroup);
	if (*link)
		return 0;
	error = -errno;
	immune_fail("Cannot attach program \"%s\" to the cgroup v2 root (%s): run as root with "
		    "CAP_NET_ADMIN", bpf_program__name(program), strerror(-error));
	return error;
}

int sensor_attach_sockets(struct immune_sensor *sensor)
{
	struct sensor_bpf *all = sensor->programs;
	int cgroup = sensor->cgroup;
	int error = to_cgroup(all->progs.on_connect4, &all->links.on_connect4, cgroup);

	if (!error)
		error = to_cgroup(all->progs.on_connect6, &all->links.on_connect6, cgroup);
	if (!error)
		error = to_cgroup(all->progs.on_bind4, &all->links.on_bind4, cgroup);
	if (!error)
		error = to_cgroup(all->progs.on_bind6, &all->links.on_bind6, cgroup);
	return error;
}

int sensor_attach_watch(struct immune_sensor *sensor)
{
	const struct watch_maps maps = {
		.processes = sensor_processes_fd(sensor),
		.ended = bpf_map__fd(sensor->programs->maps.ended),
		.overflowed = -1,
	};

	return watch_start(&sensor->watch, &maps, sensor->wake);
}

static int want(struct bpf_program *program, struct bpf_link **link, bool wanted)
{
	if (wanted == !!*link)
		return 0;
	return wanted ? trace(program, link) : detach(link);
}

static int want_cgroup(struct immune_sensor *sensor, struct bpf_program *program,
		       struct bpf_link **link, bool wanted)
{
	if (wanted == !!*link)
		return 0;
	return wanted ? to_cgroup(program, link, sensor->cgroup) : detach(link);
}

/* Runs an iterator to its end for what it does to the maps; 0 or -errno. */
static int iterate(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	char unread[256];
	ssize_t got = 0;
	int fd;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd >= 0) {
		while ((got = read(fd, unread, sizeof(unread))) > 0 ||
		       (got < 0 && (errno == EINTR || errno == EAGAIN)))
			;
		close(fd);
	}
	bpf_link__destroy(link);
	return fd < 0 ? fd : (int)got;
}

/* Empties a map by addresses of sockets: those ended meanwhile, and others have their addresses. */
static void sockets_forget(const struct bpf_map *map)
{
	int fd = bpf_map__fd(map);
	uint64_t key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &key);

	/* Bounded by what the map can hold: nobody fills it now. The next one is asked for first, or
	 * the kernel would look through all that is empty by then each time. */
	for (uint32_t i = 0; more && i < bpf_map__max_entries(map); i++) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		bpf_map_delete_elem(fd, &key);
		key = next;
	}
}

static int want_flows(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *all = sensor->programs;
	bool fresh = wanted && !all->links.on_socket_state;
	int error;

	if (fresh) {
		sockets_forget(all->maps.listeners);
		sockets_forget(all->maps.connections);
	}
	error = want(all->progs.on_socket_state, &all->links.on_socket_state, wanted);
	if (fresh && !error) {
		error = iterate(all->progs.on_sockets);
		if (error)
			immune_fail("Cannot list the sockets that are open: %s", strerror(-error));
	}
	return error;
}

static int want_dns(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *all = sensor->programs;
	int error = want_cgroup(sensor, all->progs.on_dns_question, &all->links.on_dns_question,
				wanted);

	if (!error)
		error = want_cgroup(sensor, all->progs.on_dns_answer, &all->links.on_dns_answer,
				    wanted);
	return error;
}

static int want_datagrams(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *all = sensor->programs;
	int error = want_cgroup(sensor, all->progs.on_send4, &all->links.on_send4, wanted);

	if (!error)
		error = want_cgroup(sensor, all->progs.on_send6, &all->links.on_send6, wanted);
	return error;
}

static int want_unseen(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *all = sensor->programs;

	return want_cgroup(sensor, all->progs.on_socket, &all->links.on_socket, wanted);
}

#define KIND_BIT(kind) (1ull << IMMUNE_KIND_##kind)

int sensor_want_kinds(struct immune_sensor *sensor, uint64_t mask)
{
	struct sensor_bpf *all = sensor->programs;
	int error = want_flows(sensor, mask & (KIND_BIT(LISTEN) | KIND_BIT(ACCEPT) |
					       KIND_BIT(FLOW)));

	/* Who asks is put down before his question is looked at. */
	if (!error)
		error = want_datagrams(sensor, mask & (KIND_BIT(DNS) | KIND_BIT(CONNECT)));
	if (!error)
		error = want_unseen(sensor, mask & KIND_BIT(CONNECT));
	if (!error)
		error = want_dns(sensor, mask & KIND_BIT(DNS));
	if (!error)
		error = want(all->progs.on_signal, &all->links.on_signal,
			     mask & (KIND_BIT(SIGNAL) | KIND_BIT(ACCESS)));
	return error;
}

int sensor_want_opens(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *programs = sensor->programs;
	int error;

	if (bpf_program__autoload(programs->progs.on_open_exit))
		error = want(programs->progs.on_open_exit, &programs->links.on_open_exit, wanted);
	else
		error = want(programs->progs.on_old_open_exit, &programs->links.on_old_open_exit,
			     wanted);
	if (!error && bpf_program__autoload(programs->progs.on_ring_open))
		error = want(programs->progs.on_ring_open, &programs->links.on_ring_open, wanted);
	return error;
}

int sensor_want_hashes(struct immune_sensor *sensor, uint32_t flags)
{
	const struct hash_programs programs = { sensor_served_fd(sensor), sensor_file_fd(sensor) };
	struct hasher *hasher = sensor->hasher;
	enum hash_mode mode = !(flags & IMMUNE_POLICY_HASHES)	? HASH_NONE
			      : flags & IMMUNE_POLICY_HASH_EACH ? HASH_EACH
								: HASH_FIRST;
	int error;

	if (!hasher) {
		if (mode == HASH_NONE)
			return 0;
		error = hash_start(&hasher, &programs, sensor->wake);
		if (error) {
			immune_fail("Cannot hash programs: %s", strerror(-error));
			return error;
		}
		sensor->hasher = hasher;
	}
	hash_want(hasher, mode);
	return 0;
}

int sensor_want_devices(struct immune_sensor *sensor, const uint8_t *watches, uint32_t count)
{
	struct sensor_bpf *all = sensor->programs;
	int refused, error;

	sensor->devices.map = bpf_map__fd(all->maps.devices);
	refused = devices_apply(&sensor->devices, watches, count);
	if (refused < 0) {
		immune_fail("Cannot watch devices: %s", strerror(-refused));
		return refused;
	}
	error = want_cgroup(sensor, all->progs.on_device, &all->links.on_device,
			    devices_any(&sensor->devices));
	return error ? error : refused;
}

void sensor_find_devices(struct immune_sensor *sensor)
{
	struct sensor_bpf *all = sensor->programs;
	uint32_t missed;

	/* Whoever sets a policy looks himself; what came behind his look is looked for next time. */
	if (pthread_mutex_trylock(&sensor->policy_lock))
		return;
	missed = devices_again(&sensor->devices);
	/* Opens of what found no room go unseen from now on. */
	if (missed && sensor->watch)
		watch_lost(sensor->watch, missed);
	if (devices_any(&sensor->devices) &&
	    want_cgroup(sensor, all->progs.on_device, &all->links.on_device, true))
		sensor->devices.stale = true;
	pthread_mutex_unlock(&sensor->policy_lock);
}

bool sensor_has_calls(const struct immune_sensor *sensor)
{
	return bpf_program__autoload(sensor->programs->progs.on_call_exit);
}

int sensor_want_calls(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *programs = sensor->programs;

	return want(programs->progs.on_call_exit, &programs->links.on_call_exit, wanted);
}

int sensor_want_identity(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *programs = sensor->programs;
	int error;

	if (wanted == !!programs->links.on_identity_exit)
		return 0;
	if (!wanted)
		return detach(&programs->links.on_identity_exit);
	error = trace(programs->progs.on_identity_exit, &programs->links.on_identity_exit);
	if (error)
		return error;
	/* Changes of ids were not followed until now: bring those in the map up to date. */
	error = sensor_refresh(sensor);
	if (error)
		detach(&programs->links.on_identity_exit);
	return error;
}
