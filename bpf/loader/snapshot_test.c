// SPDX-License-Identifier: MIT
/* More processes than there is room for: in a snapshot, and below one that has a role. */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "control.h"
#include "marks.h"
#include "object.h"
#include "process.h"
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

static void crowd_start(pid_t *crowd, int count)
{
	for (int i = 0; i < count; i++) {
		crowd[i] = fork();
		if (!crowd[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	}
}

static void crowd_end(const pid_t *crowd, int count)
{
	for (int i = 0; i < count; i++) {
		kill(crowd[i], SIGKILL);
		waitpid(crowd[i], NULL, 0);
	}
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

static bool is_told(const struct snapshot *snapshot, pid_t pid)
{
	for (uint32_t i = 0; i < snapshot->count; i++)
		if (snapshot->entries[i].pid == (uint32_t)pid)
			return true;
	return false;
}

/* A process that found no room in the map is told once, and so are its children; more of them than are kept are counted. */
void test_crowd(void)
{
	struct snapshot all = { 0 }, few = { .most = ENTRIES_MOST };
	pid_t children[CHILDREN];

	crowd_start(children, CHILDREN);
	take(&all);
	must(all.count > CHILDREN && !all.turned_away, "%u processes", all.count);
	for (int i = 0; i < CHILDREN; i++)
		must(is_told(&all, children[i]), "child %d of %u is not told", i, getpid());
	is_ordered(&all);
	take(&few);
	must(few.count == ENTRIES_MOST, "%u processes are kept", few.count);
	must(few.turned_away >= CHILDREN - ENTRIES_MOST, "%llu are counted",
	     (unsigned long long)few.turned_away);
	is_ordered(&few);
	crowd_end(children, CHILDREN);
	snapshot_free(&all);
	snapshot_free(&few);
}

#define ROLE_AGENT 5
/* By the marks of a program. */
#define ROLE_MARKED 6
#define ROOM 128
/* A map has a few entries more than it says, on each CPU. */
#define CROWD (4 * ROOM)
#define RING_BYTES (1u << 20)
#define ENDS 100

/* Programs that keep a map which is soon full, attached. */
static struct sensor_bpf *keepers(struct bpf_link *links[3])
{
	struct sensor_bpf *programs = sensor_object_open(NULL);
	struct bpf_program *program;

	must(programs, "no object");
	bpf_object__for_each_program(program, programs->obj)
		bpf_program__set_autoload(program, program == programs->progs.on_fork ||
							   program == programs->progs.on_exec ||
							   program == programs->progs.on_exit ||
							   program == programs->progs.on_label);
	must(!bpf_map__set_max_entries(programs->maps.processes, ROOM) &&
	     !bpf_map__set_max_entries(programs->maps.lifecycle, RING_BYTES), "no small map");
	must(!sensor_bpf__load(programs), "not loaded");
	links[0] = bpf_program__attach(programs->progs.on_fork);
	links[1] = bpf_program__attach(programs->progs.on_exec);
	links[2] = bpf_program__attach(programs->progs.on_exit);
	must(links[0] && links[1] && links[2], "not attached");
	return programs;
}

static bool known(const struct sensor_bpf *programs, pid_t pid, struct immune_process *process)
{
	return !bpf_map_lookup_elem(bpf_map__fd(programs->maps.processes), &pid, process);
}

static void give_role(const struct sensor_bpf *programs, pid_t pid)
{
	struct immune_process process;
	uint64_t arguments[4] = { (uint64_t)pid | (uint64_t)ROLE_AGENT << 32, 0, 1, 1 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));

	must(known(programs, pid, &process), "not entered");
	arguments[1] = process.start_time_ns;
	must(!bpf_prog_test_run_opts(bpf_program__fd(programs->progs.on_label), &run) &&
	     run.retval == 1, "no label");
}

/* Pipes: to the leader, to the last one, from the leader, from the last one's program. */
struct ends {
	int go[2], start[2], end[2], output[2];
};

/* Gives every program that is started the role by its marks, or none. */
static void give_marks(const struct sensor_bpf *programs, bool given)
{
	const struct immune_terms terms = { .count = given, .terms = { { .role = ROLE_MARKED } } };
	const struct immune_control control = { .kind_mask = 1ull << IMMUNE_KIND_EXEC };
	uint32_t zero = 0;

	must(!bpf_map_update_elem(bpf_map__fd(programs->maps.control), &zero, &control, BPF_ANY) &&
	     !bpf_map_update_elem(bpf_map__fd(programs->maps.terms), &zero, &terms, BPF_ANY),
	     "no marks");
}

static uint64_t roles_overflowed(const struct sensor_bpf *programs)
{
	struct immune_overflow overflow;
	uint32_t zero = 0;

	must(!bpf_map_lookup_elem(bpf_map__fd(programs->maps.overflowed), &zero, &overflow) &&
	     overflow.any == 1, "nothing was turned away");
	return overflow.roles;
}

/* Fills the map, then makes one more, which starts a program, and another when there is room. */
static void be_crowd(const struct ends *ends)
{
	char *const arguments[] = { "sh", "-c", "echo; read line; exec cat", NULL };
	pid_t crowd[CROWD], last;
	char byte;

	close(ends->go[1]);
	close(ends->start[1]);
	if (read(ends->go[0], &byte, 1) != 1)
		_exit(1);
	crowd_start(crowd, CROWD);
	last = fork();
	if (!last) {
		if (read(ends->start[0], &byte, 1) != 1)
			_exit(1);
		dup2(ends->start[0], STDIN_FILENO);
		dup2(ends->output[1], STDOUT_FILENO);
		execv("/bin/sh", arguments);
		_exit(1);
	}
	if (write(ends->end[1], &last, sizeof(last)) != sizeof(last) ||
	    read(ends->go[0], &byte, 1) != 1)
		_exit(1);
	crowd_end(crowd, CROWD);
	_exit(write(ends->end[1], &last, sizeof(last)) != sizeof(last) ||
	      waitpid(last, NULL, 0) != last);
}

/* What the map had no room for may have any role of those turned away, now and when it is entered. */
void test_turned_away(void)
{
	const uint64_t inherited = role_bit(ROLE_AGENT) | 1;
	const uint64_t turned_away = inherited | role_bit(ROLE_MARKED);
	struct immune_process process;
	struct bpf_link *links[3];
	struct sensor_bpf *programs = keepers(links);
	pid_t leader, last;
	struct ends ends;
	char byte = 0;

	must(!pipe(ends.go) && !pipe(ends.start) && !pipe(ends.end) && !pipe(ends.output),
	     "no pipe");
	leader = fork();
	if (!leader)
		be_crowd(&ends);
	give_role(programs, leader);
	must(write(ends.go[1], &byte, 1) == 1 &&
	     read(ends.end[0], &last, sizeof(last)) == sizeof(last), "no crowd");
	must(!known(programs, last, &process), "there was room for all");
	must(roles_overflowed(programs) == inherited, "roles %llx",
	     (unsigned long long)roles_overflowed(programs));
	give_marks(programs, true);
	must(write(ends.start[1], "a", 1) == 1 && read(ends.output[0], &byte, 1) == 1,
	     "no program");
	must(!known(programs, last, &process), "there is room now");
	must(roles_overflowed(programs) == turned_away, "roles %llx",
	     (unsigned long long)roles_overflowed(programs));
	give_marks(programs, false);
	must(write(ends.go[1], &byte, 1) == 1 &&
	     read(ends.end[0], &last, sizeof(last)) == sizeof(last), "no room was made");
	/* What the other program says, which it is told behind a line. */
	must(write(ends.start[1], "\nb", 2) == 2 && read(ends.output[0], &byte, 1) == 1,
	     "no other program");
	must(known(programs, last, &process), "not entered at exec");
	/* The role in force is that of the nearest ancestor that is in the map. */
	must(process.role == ROLE_AGENT && process.roles == turned_away, "role %u, roles %llx",
	     process.role, (unsigned long long)process.roles);
	close(ends.start[1]);
	must(waitpid(leader, NULL, 0) == leader, "no leader");
	for (int i = 0; i < 3; i++)
		bpf_link__destroy(links[i]);
	sensor_bpf__destroy(programs);
}

/* Exit records of one process. */
struct exits {
	uint32_t pid;
	int count;
};

static int count_exit(void *state, void *data, size_t bytes)
{
	const struct immune_record_header *record = data;
	struct exits *exits = state;

	must(bytes >= sizeof(*record), "%zu bytes", bytes);
	exits->count += record->kind == IMMUNE_KIND_EXIT && record->pid == exits->pid;
	return 0;
}

/*
 * A list of locks that leads to itself: the kernel follows it at a thread's end, so long as it ever
 * does, after it has counted how many threads are left and before the hook on ends.
 */
static void end_slowly(void)
{
	static struct robust_list lock = { .next = &lock };
	static struct robust_list_head locks = { .list = { .next = &lock } };

	must(!syscall(SYS_set_robust_list, &locks, sizeof(locks)), "no list of locks");
}

/* Ends at once with the other thread. It gives no time away: they are to be on two processors. */
static void *be_thread(void *coming)
{
	_Atomic int *others = coming;

	end_slowly();
	for (--*others; *others;)
		;
	syscall(SYS_exit, 0);
	return NULL;
}

/* Both threads can see that none is left. */
static void be_threads(void *argument)
{
	_Atomic int coming = 2;
	pthread_t thread;

	must(!pthread_create(&thread, argument, be_thread, &coming), "no thread");
	be_thread(&coming);
}

/* What a process has told is in the ring when it is waited for. */
static void ends_once(struct ring_buffer *ring, struct exits *exits)
{
	for (int i = 0; i < ENDS; i++) {
		int status;

		must(ring_buffer__consume(ring) >= 0, "no ring");
		exits->pid = (uint32_t)child_of(be_threads, NULL, &status);
		exits->count = 0;
		must(!status && ring_buffer__consume(ring) >= 0, "status %x", status);
		must(exits->count == 1, "%d exits of process %d", exits->count, i);
	}
}

/* The end of a process is told once, be it that there is no room for it, or there is room again. */
void test_exits_once(void)
{
	const struct immune_control control = { .kind_mask = 1ull << IMMUNE_KIND_EXIT,
						.snapshot_done = 1 };
	struct bpf_link *links[3];
	struct sensor_bpf *programs = keepers(links);
	struct exits exits = { 0 };
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(programs->maps.lifecycle),
						    count_exit, &exits, NULL);
	pid_t crowd[CROWD];
	uint32_t zero = 0;

	must(ring && !bpf_map_update_elem(bpf_map__fd(programs->maps.control), &zero, &control,
					  BPF_ANY), "no ring");
	crowd_start(crowd, CROWD);
	must(!roles_overflowed(programs), "somebody has a role");
	ends_once(ring, &exits);
	crowd_end(crowd, CROWD);
	ends_once(ring, &exits);
	ring_buffer__free(ring);
	for (int i = 0; i < 3; i++)
		bpf_link__destroy(links[i]);
	sensor_bpf__destroy(programs);
}
