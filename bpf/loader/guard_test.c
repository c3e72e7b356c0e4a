// SPDX-License-Identifier: MIT
/* Signals and debuggers that meet guarded processes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "control.h"
#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define ROLE 5
#define SESSION 77
/* More looks than a round over the processes of a host that tests has. */
#define LOOKS 64
/* Descriptors of this program, the library's among them, end below. */
#define DESCRIPTORS_LOOKED 1024
/* Of devices that no driver has. */
#define NODE_MAJOR 300

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

static void meet_any(const struct immune_record_header *record, void *state)
{
	struct meeting *meeting = state;

	meeting->done |= record->kind == meeting->kind && record->pid == meeting->pid;
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

static void take_no_notice(int number)
{
	(void)number;
}

/* One whose timer signals it, every two milliseconds, from when it is told to go on; or that has none. */
static pid_t start_timed(int go, bool has_timer)
{
	struct itimerspec often = { { 0, 2000000 }, { 0, 2000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;
	char byte;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, take_no_notice);
	signal(SIGUSR2, take_no_notice);
	must(read(go, &byte, 1) == 1, "not told to go on");
	if (has_timer)
		must(!timer_create(CLOCK_MONOTONIC, &event, &timer) &&
		     !timer_settime(timer, 0, &often, NULL), "no timer: %s", strerror(errno));
	for (;;)
		pause();
}

/*
 * What a timer sends is nobody's, whoever runs meanwhile; what says so of itself is told where there
 * is no timer.
 */
void test_timer_signals(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct meeting meeting = { .kind = IMMUNE_KIND_SIGNAL, .pid = (uint32_t)getpid() };
	siginfo_t said = { .si_code = SI_TIMER };
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	must(!sched_setaffinity(0, sizeof(here), &here), "no processor: %s", strerror(errno));
	policy_set(sensor, 0, EVERY_KIND);
	for (int i = 0; i < 2; i++) {
		bool has_timer = i == 0;
		int go[2];
		pid_t guarded;

		must(!pipe(go), "no pipe");
		guarded = start_timed(go[0], has_timer);
		guard(sensor, guarded, SESSION);
		meeting.target = (uint32_t)guarded;
		must(write(go[1], "", 1) == 1, "nobody reads");
		/* On the same processor, and it runs all the while: most of them come in its middle. */
		for (double end = seconds_now() + 0.3; has_timer && seconds_now() < end;)
			continue;
		poll_out(sensor, meet, &meeting);
		must(!meeting.count, "%d signals of a timer are told", meeting.count);
		must(!syscall(SYS_rt_sigqueueinfo, guarded, SIGUSR2, &said), "%s", strerror(errno));
		if (!has_timer)
			poll_until(sensor, meet, &meeting, &meeting.done);
		must(meeting.count == !has_timer, "%d are told", meeting.count);
		kill(guarded, SIGKILL);
		waitpid(guarded, NULL, 0);
		close(go[0]);
		close(go[1]);
	}
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

/* One with a role attaches to a process that has none: told by what the other is, with its own role. */
static void attach_from_session(struct immune_sensor *sensor)
{
	struct meeting meeting = { .kind = IMMUNE_KIND_ACCESS };
	pid_t plain, actor, middle;
	int go[2];

	must(!pipe(go), "no pipe");
	plain = start_waiting_below(&middle);
	actor = fork();
	if (!actor) {
		char byte;

		_exit(read(go[0], &byte, 1) != 1 || ptrace(PTRACE_ATTACH, plain, NULL, NULL) ||
		      waitpid(plain, NULL, __WALL) != plain);
	}
	guard(sensor, actor, SESSION);
	meeting.pid = (uint32_t)actor;
	meeting.target = (uint32_t)plain;
	must(write(go[1], "", 1) == 1 && waitpid(actor, NULL, 0) == actor, "no actor");
	poll_until(sensor, meet, &meeting, &meeting.done);
	must(meeting.body.signal == IMMUNE_ACCESS_ATTACH && !meeting.body.target_role &&
	     meeting.header.role == ROLE, "access %u by role %u", meeting.body.signal,
	     meeting.header.role);
	kill(plain, SIGKILL);
	waitpid(middle, NULL, 0);
	close(go[0]);
	close(go[1]);
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
	attach_from_session(sensor);
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

/* Hides a process that waits, by a mount of this type; "bind" puts another one's folder there. */
static pid_t hide(const char *type)
{
	pid_t pid = start_waiting();
	bool is_bind = !strcmp(type, "bind");
	char folder[64];

	snprintf(folder, sizeof(folder), "/proc/%d", pid);
	must(!mount(is_bind ? "/proc/self" : "none", folder, is_bind ? NULL : type,
		    is_bind ? MS_BIND : 0, NULL), "cannot mount over %s", folder);
	return pid;
}

static void end_hidden(pid_t pid)
{
	kill(pid, SIGKILL);
	must(waitpid(pid, NULL, 0) == pid, "cannot wait");
}

/* A process over whose folder something is mounted is flagged; no other one is, and none twice. */
void test_hidden(void)
{
	static const char *const types[] = { "tmpfs", "bind" };
	struct immune_verify_row rows[8];
	struct immune_sensor *sensor;
	struct hidden hidden = { 0 };
	pid_t before[2];

	must(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "no mount namespace");
	for (int i = 0; i < 2; i++)
		before[i] = hide(types[i]);
	hidden.pid = (uint32_t)before[1];
	sensor = sensor_with(0, 0);
	poll_out(sensor, see_hidden, &hidden);
	must(hidden.found && hidden.count == 2, "%d are hidden", hidden.count);
	/* While the sensor runs: found by one of the next looks, and told by it alone. */
	for (int i = 0; i < 2; i++) {
		double end = seconds_now() + PATIENCE_MS * 1e-3;
		pid_t pid = hide(types[i]);

		hidden = (struct hidden){ .pid = (uint32_t)pid };
		while (!hidden.found && seconds_now() < end) {
			must(!immune_sensor_verify(sensor, rows, 8), "%s", rows[0].name);
			poll_once(sensor, 0, see_hidden, &hidden);
		}
		must(hidden.found, "%s hides it", types[i]);
		for (int look = 0; look < LOOKS; look++) {
			immune_sensor_verify(sensor, rows, 8);
			poll_once(sensor, 0, see_hidden, &hidden);
		}
		must(hidden.count == 1, "told %d times", hidden.count);
		end_hidden(pid);
	}
	for (int i = 0; i < 2; i++)
		end_hidden(before[i]);
	immune_sensor_close(sensor);
}

/* Forces the link of the program that sees opens of devices off its cgroup; false: there is none. */
static bool detach_device(void)
{
	for (int fd = 0; fd < DESCRIPTORS_LOOKED; fd++) {
		struct bpf_link_info info = { 0 };
		uint32_t length = sizeof(info);

		if (!bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    info.type == BPF_LINK_TYPE_CGROUP &&
		    info.cgroup.attach_type == BPF_CGROUP_DEVICE)
			return !bpf_link_detach(fd);
	}
	return false;
}

static void open_device(void *unused)
{
	(void)unused;
	_exit(open("/dev/full", O_WRONLY | O_CLOEXEC) < 0);
}

/* The program of devices that is forced off is attached again at the next look, and sees again. */
void test_device_again(void)
{
	struct {
		struct immune_policy_header head;
		struct immune_policy_watch watch;
		char path[16];
	} policy = {
		.head = { .magic = IMMUNE_POLICY_MAGIC, .version = IMMUNE_POLICY_VERSION,
			  .header_length = sizeof(policy.head), .length = sizeof(policy),
			  .kind_mask = EVERY_KIND, .watch_count = 1 },
		.watch = { IMMUNE_WATCH_FILE, sizeof("/dev/full") - 1, IMMUNE_WATCH_OPENS },
		.path = "/dev/full",
	};
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct meeting meeting = { .kind = IMMUNE_KIND_OPEN };
	struct immune_verify_row rows[8];
	int status;

	must(immune_sensor_policy(sensor, (const uint8_t *)&policy, sizeof(policy)) >= 0, "policy");
	must(detach_device(), "nothing sees devices");
	must(immune_sensor_verify(sensor, rows, 8) == 1 && rows[0].restored &&
	     !strcmp(rows[0].name, "on_device"), "%s: %u", rows[0].name, rows[0].restored);
	must(!immune_sensor_verify(sensor, rows, 8), "%s again", rows[0].name);
	meeting.pid = (uint32_t)child_of(open_device, NULL, &status);
	must(!status, "cannot open: %x", status);
	poll_until(sensor, meet_any, &meeting, &meeting.done);
	must(meeting.done, "the open was not seen");
	immune_sensor_close(sensor);
}

/* A node as a driver makes one; no driver has the number. */
static void make_node(const char *folder, uint32_t number)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%u", folder, number);
	must(!mknod(path, S_IFCHR | 0600, makedev(NODE_MAJOR, number)), "%s: %s", path,
	     strerror(errno));
}

static void see_loss(const struct immune_record_header *record, void *state)
{
	const struct immune_loss_body *body = body_of(record);
	uint64_t *lost = state;

	if (record->kind == IMMUNE_KIND_LOSS && body->lost_kind == IMMUNE_KIND_OPEN)
		*lost += body->count;
}

/* So many watches are told as not set in full since the policy was, and as losses. */
static void told_of(struct immune_sensor *sensor, uint64_t watches, uint64_t *lost)
{
	double end = seconds_now() + PATIENCE_MS * 1e-3;

	poll_once(sensor, 20, see_loss, lost);
	while (*lost < watches && seconds_now() < end)
		poll_once(sensor, 20, see_loss, lost);
	must(*lost == watches, "%llu losses", (unsigned long long)*lost);
	must(immune_sensor_unwatched(sensor) == (int64_t)watches, "%lld watches",
	     (long long)immune_sensor_unwatched(sensor));
}

/* Devices and folders that come later and find no room are told once: as a loss, by which watch. */
void test_device_room(void)
{
	struct {
		struct immune_policy_header head;
		struct {
			struct immune_policy_watch watch;
			char path[24];
		} all, below;
	} policy = {
		.head = { .magic = IMMUNE_POLICY_MAGIC, .version = IMMUNE_POLICY_VERSION,
			  .header_length = sizeof(policy.head), .length = sizeof(policy),
			  .kind_mask = EVERY_KIND, .watch_count = 2 },
		.all = { { IMMUNE_WATCH_CHILDREN, 0, IMMUNE_WATCH_OPENS }, "/dev/immune-XXXXXX" },
	};
	struct immune_sensor *sensor = sensor_with(0, 0);
	const char *folder = policy.all.path, *below = policy.below.path;
	char line[512] = "", path[64];
	uint64_t lost = 0;

	must(mkdtemp(policy.all.path), "%s: %s", folder, strerror(errno));
	policy.below = policy.all;
	strcat(policy.below.path, "/gpu");
	policy.all.watch.length = (uint16_t)strlen(folder);
	policy.below.watch.length = (uint16_t)strlen(below);
	must(!immune_sensor_policy(sensor, (const uint8_t *)&policy, sizeof(policy)), "policy");
	for (uint32_t i = 0; i < IMMUNE_DEVICES_MAX; i++)
		make_node(folder, i);
	poll_out(sensor, see_loss, &lost);
	told_of(sensor, 0, &lost);
	for (uint32_t i = IMMUNE_DEVICES_MAX; i < IMMUNE_DEVICES_MAX + 2; i++) {
		make_node(folder, i);
		told_of(sensor, 1, &lost);
	}
	must(!mkdir(below, 0700), "%s: %s", below, strerror(errno));
	told_of(sensor, 2, &lost);
	immune_error(line, sizeof(line));
	must(strstr(line, below), "%s", line);
	must(immune_sensor_policy(sensor, (const uint8_t *)&policy, sizeof(policy)) == 2 &&
	     !immune_sensor_unwatched(sensor), "another policy tells it itself");
	for (uint32_t i = 0; i < IMMUNE_DEVICES_MAX + 2; i++) {
		snprintf(path, sizeof(path), "%s/%u", folder, i);
		unlink(path);
	}
	must(!rmdir(below) && !rmdir(folder), "%s: %s", folder, strerror(errno));
	immune_sensor_close(sensor);
}
