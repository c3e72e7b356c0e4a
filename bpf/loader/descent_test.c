// SPDX-License-Identifier: MIT
/* Whose roles a process has: of those that made it, whoever adopts it. */
#include <fcntl.h>
#include <sched.h>
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
