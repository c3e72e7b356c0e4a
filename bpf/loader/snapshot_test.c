// SPDX-License-Identifier: MIT
/* A snapshot of more processes than there is room for. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "control.h"
#include "object.h"
#include "sensor.skel.h"
#include "sensor_test.h"
#include "snapshot.h"

#define MAP_ENTRIES 16
#define ENTRIES_MOST 24
#define CHILDREN 64

/* What snapshot.c, which is compiled into this program, needs of the rest of the loader. */
void immune_fail(const char *format, ...)
{
	must(false, "%s", format);
}

uint64_t clock_boot_ns(void)
{
	return 1;
}

static void take(struct snapshot *snapshot)
{
	struct sensor_bpf *programs = sensor_object_open(NULL);
	struct bpf_program *program;

	must(programs, "no object");
	bpf_object__for_each_program(program, programs->obj)
		bpf_program__set_autoload(program, program == programs->progs.on_snapshot);
	must(!bpf_map__set_max_entries(programs->maps.processes, MAP_ENTRIES), "no small map");
	must(!sensor_bpf__load(programs), "not loaded");
	must(!snapshot_take(snapshot, programs->progs.on_snapshot), "no snapshot");
	sensor_bpf__destroy(programs);
}

static void is_ordered(const struct snapshot *snapshot)
{
	for (uint32_t i = 1; i < snapshot->count; i++) {
		const struct immune_snapshot_entry *entry = &snapshot->entries[i];

		must(entry->start_time_ns > entry[-1].start_time_ns || entry->pid > entry[-1].pid,
		     "process %u is there twice, or before an older one", entry->pid);
	}
}

/* A process that found no room in the map is told once; more of them than are kept are counted. */
void test_crowd(void)
{
	struct snapshot all = { 0 }, few = { .most = ENTRIES_MOST };
	pid_t children[CHILDREN];

	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (!children[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	}
	take(&all);
	must(all.count > CHILDREN && !all.turned_away, "%u processes", all.count);
	is_ordered(&all);
	take(&few);
	must(few.count == ENTRIES_MOST, "%u processes are kept", few.count);
	must(few.turned_away >= CHILDREN - ENTRIES_MOST, "%llu are counted",
	     (unsigned long long)few.turned_away);
	is_ordered(&few);
	for (int i = 0; i < CHILDREN; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	snapshot_free(&all);
	snapshot_free(&few);
}
