// SPDX-License-Identifier: MIT
/* Attaching the programs to the kernel, each with an error line that names it. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

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
	/* From here on a process that the map does not know has ended before. */
	sensor->control.snapshot_done = 1;
	return sensor_publish(sensor);
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
	return watch_start(&sensor->watch, sensor_processes_fd(sensor), sensor->wake);
}

int sensor_want_opens(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *programs = sensor->programs;

	if (wanted == !!programs->links.on_open_exit)
		return 0;
	return wanted ? trace(programs->progs.on_open_exit, &programs->links.on_open_exit)
		      : detach(&programs->links.on_open_exit);
}

int sensor_want_identity(struct immune_sensor *sensor, bool wanted)
{
	struct sensor_bpf *programs = sensor->programs;
	struct snapshot refresh = { 0 };
	int error;

	if (wanted == !!programs->links.on_identity_exit)
		return 0;
	if (!wanted)
		return detach(&programs->links.on_identity_exit);
	error = trace(programs->progs.on_identity_exit, &programs->links.on_identity_exit);
	if (error)
		return error;
	/* Changes of ids were not followed until now: bring those in the map up to date. */
	error = snapshot_take(&refresh, programs->progs.on_snapshot);
	snapshot_free(&refresh);
	if (error)
		detach(&programs->links.on_identity_exit);
	return error;
}
