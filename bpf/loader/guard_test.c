// SPDX-License-Identifier: MIT
/* Signals and debuggers that meet guarded processes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define ROLE 5
#define SESSION 77

struct meeting {
	uint32_t pid, target;
	uint16_t kind;
	int count;
	bool done;
	struct immune_record_header header;
	struct immune_signal_body body; /* that of an access has the same places */
};

static void meet(const struct immune_record_header *record, void *state)
{
	struct meeting *meeting = state;
	const struct immune_signal_body *body = body_of(record);

	if (record->kind != meeting->kind || record->pid != meeting->pid ||
	    body->target_pid != meeting->target)
		return;
	meeting->count++;
	meeting->done = true;
	meeting->header = *record;
	meeting->body = *body;
}

static pid_t start_waiting(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

/* One that waits and is no child of the sensor's, which would be guarded; `middle` ends after it. */
static pid_t start_waiting_below(pid_t *middle)
{
	pid_t pid = -1;
	int told[2];

	must(!pipe(told), "no pipe");
	*middle = fork();
	if (!*middle) {
		pid = start_waiting();
		if (write(told[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		_exit(waitpid(pid, NULL, 0) != pid);
	}
	must(read(told[0], &pid, sizeof(pid)) == sizeof(pid), "nobody waits");
	close(told[0]);
	close(told[1]);
	return pid;
}

struct fork_seen {
	uint32_t pid;
	bool done;
	uint64_t start_time_ns, time_ns;
};

static void see_fork(const struct immune_record_header *record, void *state)
{
	struct fork_seen *seen = state;

	if (record->kind != IMMUNE_KIND_FORK || record->pid != seen->pid)
		return;
	seen->done = true;
	seen->start_time_ns = record->start_time_ns;
	seen->time_ns = record->time_ns;
}

static void guard(struct immune_sensor *sensor, pid_t pid, uint64_t session)
{
	struct fork_seen seen = { .pid = (uint32_t)pid };
	struct immune_label label = { .pid = (uint32_t)pid, .role = ROLE, .session = session };

	poll_until(sensor, see_fork, &seen, &seen.done);
	must(seen.done, "no fork");
	label.start_time_ns = seen.start_time_ns;
	label.time_ns = seen.time_ns;
	must(immune_sensor_label(sensor, &label, 1) == 1, "not labelled");
}

/* A signal to a guarded process of another session is told; to others, or at home, it is not. */
void test_signals(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct meeting meeting = { .kind = IMMUNE_KIND_SIGNAL, .pid = (uint32_t)getpid() };
	pid_t plain, guarded, middle;
	int go[2];

	policy_set(sensor, 0, EVERY_KIND);
	plain = start_waiting_below(&middle);
	meeting.target = (uint32_t)plain;
	kill(plain, SIGKILL);
	waitpid(middle, NULL, 0);
	poll_out(sensor, meet, &meeting);
	must(!meeting.count, "a signal to a process that nobody guards");
	guarded = start_waiting();
	guard(sensor, guarded, SESSION);
	meeting.target = (uint32_t)guarded;
	kill(guarded, 0);
	kill(guarded, SIGTERM);
	waitpid(guarded, NULL, 0);
	poll_until(sensor, meet, &meeting, &meeting.done);
	must(meeting.count == 1 && meeting.body.signal == SIGTERM &&
	     meeting.body.target_role == ROLE && meeting.body.target_session == SESSION,
	     "%d signals, number %u", meeting.count, meeting.body.signal);
	/* A labelled process that ends its own child is at home. */
	must(!pipe(go), "no pipe");
	guarded = fork();
	if (!guarded) {
		char byte;

		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		plain = start_waiting();
		kill(plain, SIGKILL);
		_exit(waitpid(plain, NULL, 0) != plain);
	}
	guard(sensor, guarded, SESSION);
	meeting = (struct meeting){ .kind = IMMUNE_KIND_SIGNAL, .pid = (uint32_t)guarded };
	must(write(go[1], "", 1) == 1 && waitpid(guarded, NULL, 0) == guarded, "no child");
	poll_out(sensor, meet, &meeting);
	must(!meeting.count, "%d signals within a session", meeting.count);
	immune_sensor_close(sensor);
}

/* A pipe that signals its owner, who is not asked: each way to be sent one by it is told. */
void test_owned_files(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const int numbers[] = { SIGUSR2, 0 }; /* F_SETSIG, and SIGIO without */

	signal(SIGUSR2, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	policy_set(sensor, 0, EVERY_KIND);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct meeting meeting = { .kind = IMMUNE_KIND_SIGNAL, .target = (uint32_t)getpid() };
		pid_t pid = fork();
		int files[2];

		if (!pid) {
			must(!pipe(files) && !fcntl(files[0], F_SETOWN, getppid()) &&
			     !fcntl(files[0], F_SETSIG, numbers[i]) &&
			     !fcntl(files[0], F_SETFL, O_ASYNC), "no owner: %s", strerror(errno));
			_exit(write(files[1], "", 1) != 1);
		}
		waitpid(pid, NULL, 0);
		poll_until(sensor, meet, &meeting, &meeting.done);
		must(meeting.header.flags & IMMUNE_FLAG_UNRESOLVED &&
		     meeting.body.signal == (uint32_t)(numbers[i] ? numbers[i] : SIGIO),
		     "%d signals, number %u", meeting.count, meeting.body.signal);
	}
	immune_sensor_close(sensor);
}

/* A debugger that attaches to a guarded process is told, also when it is to the sensor itself. */
void test_attach(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct meeting meeting = { .kind = IMMUNE_KIND_ACCESS, .pid = (uint32_t)getpid() };
	pid_t guarded;

	policy_set(sensor, 0, EVERY_KIND);
	guarded = start_waiting();
	guard(sensor, guarded, SESSION);
	meeting.target = (uint32_t)guarded;
	must(!ptrace(PTRACE_ATTACH, guarded, NULL, NULL), "cannot attach");
	must(waitpid(guarded, NULL, 0) == guarded, "no stop");
	poll_until(sensor, meet, &meeting, &meeting.done);
	must(meeting.body.signal == IMMUNE_ACCESS_ATTACH && meeting.body.target_role == ROLE,
	     "access %u", meeting.body.signal);
	kill(guarded, SIGKILL);
	immune_sensor_close(sensor);
}

/* Counts the processes of a snapshot that are hidden. */
struct hidden {
	uint32_t pid;
	int count;
	bool found;
};

static void see_hidden(const struct immune_record_header *record, void *state)
{
	struct hidden *hidden = state;

	if (record->kind != IMMUNE_KIND_PROCESS || !(record->flags & IMMUNE_FLAG_HIDDEN))
		return;
	hidden->count++;
	hidden->found |= record->pid == hidden->pid;
}

/* A process over whose folder something else is mounted is flagged; no other one is. */
void test_hidden(void)
{
	struct hidden hidden = { 0 };
	struct immune_sensor *sensor;
	char folder[64];
	pid_t pid;

	must(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "no mount namespace");
	pid = start_waiting();
	snprintf(folder, sizeof(folder), "/proc/%d", pid);
	must(!mount("none", folder, "tmpfs", 0, NULL), "cannot mount over %s", folder);
	hidden.pid = (uint32_t)pid;
	sensor = sensor_with(0, 0);
	poll_out(sensor, see_hidden, &hidden);
	must(hidden.found && hidden.count == 1, "%d are hidden", hidden.count);
	kill(pid, SIGKILL);
	immune_sensor_close(sensor);
}
