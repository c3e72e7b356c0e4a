// SPDX-License-Identifier: MIT
#include "processes.h"

#include <errno.h>
#include <signal.h>

#include <bpf/bpf.h>

#include "sensor.h"

/* No process has the number any more; one that hides from /proc has it. */
static bool is_gone(uint32_t pid)
{
	return kill((pid_t)pid, 0) && errno == ESRCH;
}

/*
 * Takes out what no process has the number of. One that takes the number in between loses its entry
 * too: whoever calls this looks at all that run afterwards.
 */
static void sweep(int processes)
{
	uint32_t key, next;
	bool more = !bpf_map_get_next_key(processes, NULL, &key);

	/* Bounded by what the map can hold, also when entries change meanwhile. */
	for (uint32_t i = 0; more && i < IMMUNE_PROCESSES_MAX; i++) {
		more = !bpf_map_get_next_key(processes, &key, &next);
		if (is_gone(key))
			bpf_map_delete_elem(processes, &key);
		key = next;
	}
}

int processes_repair(struct immune_sensor *sensor)
{
	int error;

	/* Where /proc is that of other processes, numbers mean others too. */
	if (sensor->snapshot.processes >= 0)
		sweep(sensor->snapshot.processes);
	error = sensor_refresh(sensor);
	sensor->processes_stale = error != 0;
	return error;
}
