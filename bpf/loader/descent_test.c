// SPDX-License-Identifier: MIT
/* Whose roles a process has: of those that made it, whoever adopts it, and though hooks were off. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "process.h"
#include "sensor_test.h"

#define ROLE_SERVER 1
#define ROLE_AGENT 5
#define SESSION 77
/* Descriptors of this program that are looked at, at most. */
#define DESCRIPTORS_LOOKED 1024

/* The map of processes of this program's sensor. */
static int processes_fd(void)
{
	for (int fd = 0; fd < DESCRIPTORS_LOOKED; fd++) {
		struct bpf_map_info info = { 0 };
		uint32_t length = sizeof(info);

		if (!bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    info.value_size == sizeof(struct immune_process) &&
		    !strcmp(info.name, "processes"))
			return fd;
	}
	must(false, "no map");
	return -1;
}

static bool known(pid_t pid, struct immune_process *process)
{
	return !bpf_map_lookup_elem(processes_fd(), &pid, process);
}

static bool is_program(uint32_t id, const char *name)
{
	struct bpf_prog_info info = { 0 };
	uint32_t length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool is = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
		  !strcmp(info.name, name);

	if (fd >= 0)
		close(fd);
	return is;
}

/* Takes a hook off: its descriptor becomes another file's, as nothing else detaches it. */
static void take_off(const char *program)
{
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int fd = 0; fd < DESCRIPTORS_LOOKED; fd++) {
		struct bpf_link_info info = { 0 };
		uint32_t length = sizeof(info);

		/* Programs and maps have numbers of their own there. */
		if (bpf_obj_get_info_by_fd(fd, &info, &length) ||
		    (info.type != BPF_LINK_TYPE_RAW_TRACEPOINT &&
		     info.type != BPF_LINK_TYPE_TRACING) ||
		    !is_program(info.prog_id, program))
			continue;
		must(dup2(other, fd) == fd, "cannot close the link");
		close(other);
		return;
	}
	must(false, "%s is not attached", program);
}

/* Whether the map gets a process that begins, and loses one that ends. */
struct kept {
	bool begins, ends;
};

static struct kept keep_one(void)
{
	struct immune_process process;
	pid_t child = fork();
	struct kept kept;

	if (!child) {
		pause();
		_exit(0);
	}
	kept.begins = known(child, &process);
	kill(child, SIGKILL);
	must(waitpid(child, NULL, 0) == child, "no child");
	kept.ends = !known(child, &process);
	return kept;
}

/* Labels a process of the map from its start on; what it has then. */
static struct immune_process label(struct immune_sensor *sensor, pid_t pid, uint16_t role)
{
	struct immune_label label = { .pid = (uint32_t)pid, .role = role, .session = SESSION };
	struct immune_process process;

	must(known(pid, &process), "process %d is not known", pid);
	label.start_time_ns = label.time_ns = process.start_time_ns;
	must(immune_sensor_label(sensor, &label, 1) == 1, "not labelled");
	must(known(pid, &process), "process %d has ended", pid);
	return process;
}

/* A line: what a process says of another, and what starts one. */
struct line {
	int read, write;
};

static struct line line_new(void)
{
	int ends[2];

	must(!pipe2(ends, O_CLOEXEC), "no pipe");
	return (struct line){ ends[0], ends[1] };
}

static pid_t hear(struct line line)
{
	pid_t said = 0;

	must(read(line.read, &said, sizeof(said)) == sizeof(said), "nothing was said");
	return said;
}

static void say(struct line line, pid_t what)
{
	if (write(line.write, &what, sizeof(what)) != sizeof(what))
		_exit(1);
}

/* Becomes a program that waits until the line ends. */
static void be_program(struct line line)
{
	close(line.write);
	dup2(line.read, STDIN_FILENO);
	execlp("cat", "cat", NULL);
	_exit(1);
}

/* A shell's child, whose shell ends, so that it is adopted; then it becomes a program. */
static void be_adopted(struct line said, struct line end)
{
	pid_t shell = fork();

	if (!shell) {
		pid_t adopter = getppid();

		if (fork())
			_exit(0);
		/* Until the kernel has given it to the other one. */
		while (getppid() != adopter)
			sched_yield();
		say(said, getpid());
		be_program(end);
	}
	waitpid(shell, NULL, 0);
	/* Until that program has ended. */
	close(end.write);
	wait(NULL);
	_exit(0);
}

struct start {
	pid_t pid;
	bool done;
	struct immune_record_header header;
};

static void see_start(const struct immune_record_header *record, void *state)
{
	struct start *start = state;

	if (record->kind != IMMUNE_KIND_EXEC || record->pid != (uint32_t)start->pid)
		return;
	start->header = *record;
	start->done = true;
}

static struct immune_record_header await_start(struct immune_sensor *sensor, pid_t pid)
{
	struct start start = { .pid = pid };

	poll_until(sensor, see_start, &start, &start.done);
	must(start.done, "no start of %d", pid);
	return start.header;
}

/* Who adopts a process gives it no role, also after it became a program. */
void test_adopted(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct line said = line_new(), end = line_new();
	pid_t adopter = fork(), adopted;
	struct immune_process process;

	if (!adopter) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		be_adopted(said, end);
	}
	adopted = hear(said);
	must(await_start(sensor, adopted).parent_pid == (uint32_t)adopter, "not adopted");
	label(sensor, adopter, ROLE_SERVER);
	process = label(sensor, adopted, ROLE_AGENT);
	must(process.roles == role_bit(ROLE_AGENT), "roles %llx",
	     (unsigned long long)process.roles);
	close(end.write);
	must(waitpid(adopter, NULL, 0) == adopter, "no adopter");
	immune_sensor_close(sensor);
}

/* For each byte a child, which becomes a program when its own line says so. */
static void be_maker(struct line go, struct line said, const struct line *starts, int count,
		     struct line end)
{
	close(end.write);
	for (int i = 0; i < count; i++) {
		pid_t child;

		hear(go);
		child = fork();
		if (!child) {
			hear(starts[i]);
			end.write = -1;
			be_program(end);
		}
		say(said, child);
	}
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static void is_labelled(const struct immune_record_header *record)
{
	must(record->role == ROLE_AGENT && record->session == SESSION, "role %u, session %llx",
	     record->role, (unsigned long long)record->session);
}

static void repair(struct immune_sensor *sensor, const char *program)
{
	struct immune_verify_row rows[8];

	must(immune_sensor_verify(sensor, rows, 8) == 1 && rows[0].restored &&
	     !strcmp(rows[0].name, program), "%s: %u", rows[0].name, rows[0].restored);
	must(!immune_sensor_verify(sensor, rows, 8), "%s again", rows[0].name);
}

/* What was forked below a labelled process while nobody looked has its label, what ended is out. */
void test_unhooked(void)
{
	struct line go = line_new(), said = line_new(), end = line_new();
	struct line starts[] = { line_new(), line_new() };
	struct immune_process process;
	struct immune_sensor *sensor;
	/* Before the sensor, so that it holds none of its links. */
	pid_t maker = fork(), first, second;

	if (!maker)
		be_maker(go, said, starts, 2, end);
	sensor = sensor_with(0, 0);
	label(sensor, maker, ROLE_AGENT);
	take_off("on_fork");
	/* A program that the sensor is starting has its links for a moment. */
	while (keep_one().begins)
		sched_yield();
	say(go, 0);
	first = hear(said);
	say(go, 0);
	second = hear(said);
	must(!known(first, &process) && !known(second, &process), "seen all the same");
	/* One starts its program before anybody has seen what is missing. */
	say(starts[0], 0);
	is_labelled((struct immune_record_header[]){ await_start(sensor, first) });
	must(known(first, &process) && process.roles == role_bit(ROLE_AGENT), "roles %llx",
	     (unsigned long long)process.roles);
	repair(sensor, "on_fork");
	must(known(second, &process) && process.role == ROLE_AGENT && process.session == SESSION &&
	     process.roles == role_bit(ROLE_AGENT), "roles %llx",
	     (unsigned long long)process.roles);
	say(starts[1], 0);
	is_labelled((struct immune_record_header[]){ await_start(sensor, second) });
	take_off("on_exit");
	while (keep_one().ends)
		sched_yield();
	close(end.write);
	must(waitpid(maker, NULL, 0) == maker, "no maker");
	must(known(maker, &process) && known(first, &process), "their end was seen all the same");
	repair(sensor, "on_exit");
	must(!known(maker, &process) && !known(first, &process) && !known(second, &process),
	     "one that ended is kept");
	immune_sensor_close(sensor);
}
