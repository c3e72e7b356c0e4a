// SPDX-License-Identifier: MIT
/* Roles that the kernel gives by itself, against programs that really start. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor_test.h"

#define ROLE_SERVER 1
#define ROLE_AGENT 5
#define BIT(n) (1ull << (n))

/* Hashes of agent/labels/hash.ts, written down once: the kernel's must be the same. */
#define HASH_TAIL_IMMUNE_SERVER 0x8a9b5d471b4b41deull
#define HASH_PART_VERSIONS 0xe8b54db2af37d7f0ull
#define HASH_ARGUMENT_PACKAGE 0xa46d46a6fc289c02ull
#define HASH_TAIL_SH 0x82458c19deafe73eull
#define HASH_DIRECTORY_TMP 0x422f4eef016aeccbull

struct blob {
	struct immune_policy_header head;
	struct immune_policy_mark marks[5];
	struct immune_policy_term terms[3];
};

static const struct blob roles = {
	.head = {
		.magic = IMMUNE_POLICY_MAGIC,
		.version = IMMUNE_POLICY_VERSION,
		.header_length = sizeof(roles.head),
		.length = sizeof(roles),
		.kind_mask = ~0ull,
		.wake_interval_us = 2000,
		.mark_count = 5,
		.term_count = 3,
	},
	.marks = {
		{ .hash = HASH_TAIL_IMMUNE_SERVER, .bits = BIT(0), .edges = 1 },
		{ .hash = HASH_PART_VERSIONS, .bits = BIT(1), .edges = 3 },
		{ .hash = HASH_ARGUMENT_PACKAGE, .bits = BIT(2), .edges = 3 },
		{ .hash = HASH_TAIL_SH, .bits = BIT(3), .edges = 1 },
		{ .hash = HASH_DIRECTORY_TMP, .bits = BIT(4), .edges = 3 },
	},
	.terms = {
		{ .all = BIT(0) | BIT(4), .role = ROLE_SERVER },
		{ .all = BIT(1), .role = ROLE_AGENT },
		{ .all = BIT(2), .none = BIT(3), .role = ROLE_AGENT },
	},
};

static struct immune_sensor *sensor_with_roles(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	char line[512] = "";

	if (immune_sensor_policy(sensor, (const uint8_t *)&roles, sizeof(roles)))
		immune_error(line, sizeof(line));
	must(!line[0], "%s", line);
	return sensor;
}

/* The last record of one kind and process. */
struct wanted {
	uint32_t pid;
	uint16_t kind;
	bool done;
	struct immune_record_header found;
};

static void keep(const struct immune_record_header *record, void *state)
{
	struct wanted *wanted = state;

	if (record->kind != wanted->kind || record->pid != wanted->pid)
		return;
	wanted->found = *record;
	wanted->done = true;
}

static struct immune_record_header await(struct immune_sensor *sensor, uint16_t kind, pid_t pid)
{
	struct wanted wanted = { .pid = (uint32_t)pid, .kind = kind };

	poll_until(sensor, keep, &wanted, &wanted.done);
	must(wanted.done, "no record of kind %u, pid %d", kind, pid);
	return wanted.found;
}

static char folder[] = "/tmp/immune-label-XXXXXX";

/* A copy of a program that does nothing, below the test's folder. */
static const char *place(const char *name)
{
	static char path[512], command[2048];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\" && cp /bin/true '%s'",
		 path, path);
	must(!system(command), "cannot place %s", path);
	return path;
}

static struct immune_record_header run(struct immune_sensor *sensor, const char *program,
				       const char *argument)
{
	char *const arguments[] = { "x", (char *)argument, NULL };

	return await(sensor, IMMUNE_KIND_EXEC, run_and_wait(program, arguments));
}

static void is_role(const struct immune_record_header *record, uint16_t role, const char *what)
{
	must(record->role == role, "%s: role %u, not %u", what, record->role, role);
	must(!role == !(record->flags & IMMUNE_FLAG_LABELLED), "%s: flags %x", what,
	     record->flags);
	must(!role == !record->session, "%s: session %llx", what,
	     (unsigned long long)record->session);
}

/* Each type of mark, its neighbours, and terms of several. */
void test_marks(void)
{
	struct immune_sensor *sensor = sensor_with_roles();
	char long_argument[2048] = "";
	struct immune_record_header got;

	must(mkdtemp(folder), "no folder");
#define RUN(program, argument, role)                                              \
	do {                                                                      \
		got = run(sensor, program, argument);                             \
		is_role(&got, role, program " " argument);                        \
	} while (0)
#define PLACED(name, argument, role)                                              \
	do {                                                                      \
		got = run(sensor, place(name), argument);                         \
		is_role(&got, role, name " " argument);                           \
	} while (0)
	PLACED("immune-server", "a", ROLE_SERVER);
	PLACED("Immune-SERVER", "a", ROLE_SERVER);
	PLACED("immune-servers", "a", 0);
	PLACED("x-immune-server", "a", 0);
	PLACED("immune-server.d/x", "a", 0);
	PLACED("share/versions/2.0", "a", ROLE_AGENT);
	PLACED("share2/versions/2.0", "a", 0);
	RUN("/bin/true", "/usr/lib/@vendor/agent/cli.js", ROLE_AGENT);
	RUN("/bin/true", "@vendor/agent/cli.js", 0);
	RUN("/bin/true", "/usr/lib/@vendor/agent", 0);
	RUN("/bin/true", "/usr/lib/@vendor/x/agent/cli.js", 0);
	PLACED("sh", "/usr/lib/@vendor/agent/cli.js", 0);
	/* What lies behind the bytes of an argument that are looked at is user space's to find. */
	memset(long_argument, 'a', 300);
	strcpy(long_argument + 300, "/@vendor/agent/cli.js");
	got = run(sensor, "/bin/true", long_argument);
	is_role(&got, 0, "long argument");
	/* A policy without roles takes them back. */
	policy_set(sensor, 0, ~0ull);
	PLACED("immune-server", "a", 0);
	snprintf(long_argument, sizeof(long_argument), "rm -r '%s'", folder);
	must(!system(long_argument), "cannot remove %s", folder);
	immune_sensor_close(sensor);
}

/* Refuses a policy in a step behind that of the roles: nothing is left to attach a program with. */
static void refuse_device(struct immune_sensor *sensor)
{
	struct {
		struct immune_policy_header head;
		struct immune_policy_watch watch;
		char path[16];
	} device = {
		.head = roles.head,
		.watch = { IMMUNE_WATCH_FILE, sizeof("/dev/zero") - 1, IMMUNE_WATCH_OPENS },
		.path = "/dev/zero",
	};
	struct rlimit before, none;

	device.head.length = sizeof(device);
	device.head.mark_count = device.head.term_count = 0;
	device.head.watch_count = 1;
	must(!getrlimit(RLIMIT_NOFILE, &before), "no limit");
	none = before;
	none.rlim_cur = 0;
	must(!setrlimit(RLIMIT_NOFILE, &none), "cannot set the limit");
	must(immune_sensor_policy(sensor, (const uint8_t *)&device, sizeof(device)) < 0,
	     "a policy without descriptors was taken");
	must(!setrlimit(RLIMIT_NOFILE, &before), "cannot set the limit");
}

/* A policy that fails in a later step leaves the one before whole, and no map that is not known. */
void test_policy_undone(void)
{
	struct immune_sensor *sensor = sensor_with_roles();
	struct immune_verify_row rows[8];
	struct immune_record_header got;
	struct blob twice = roles, placeless = roles;
	char line[512] = "";

	must(mkdtemp(folder), "no folder");
	twice.head.flags = IMMUNE_POLICY_CALLS;
	twice.head.kind_mask = 0;
	twice.marks[1].hash = twice.marks[0].hash;
	must(immune_sensor_policy(sensor, (const uint8_t *)&twice, sizeof(twice)) == -EEXIST,
	     "two marks of one hash were taken");
	must(immune_error(line, sizeof(line)) && strstr(line, "roles"), "line %s", line);
	/* Beyond the last role that a set of them has a place for. */
	placeless.terms[2].role = 120;
	must(immune_sensor_policy(sensor, (const uint8_t *)&placeless, sizeof(placeless)) == -EINVAL,
	     "a role without a place was taken");
	got = run(sensor, place("immune-server"), "a");
	is_role(&got, ROLE_SERVER, "after a policy of two marks");
	must(!immune_sensor_verify(sensor, rows, 8), "%s is not known", rows[0].name);
	refuse_device(sensor);
	got = run(sensor, place("immune-server"), "b");
	is_role(&got, ROLE_SERVER, "after a policy of a device");
	must(!immune_sensor_verify(sensor, rows, 8), "%s is not known", rows[0].name);
	snprintf(line, sizeof(line), "rm -r '%s'", folder);
	must(!system(line), "cannot remove %s", folder);
	immune_sensor_close(sensor);
}

/* Counts what descends from a labelled process. */
struct descent {
	uint64_t session;
	int forks;
	pid_t top;
	bool done;
};

static void descend(const struct immune_record_header *record, void *state)
{
	struct descent *descent = state;

	if (record->kind == IMMUNE_KIND_EXEC && record->pid == (uint32_t)descent->top &&
	    record->role == ROLE_SERVER)
		descent->session = record->session;
	if (record->kind == IMMUNE_KIND_EXIT && record->pid == (uint32_t)descent->top)
		descent->done = true;
	if (record->kind == IMMUNE_KIND_FORK && record->session == descent->session && descent->session)
		descent->forks++;
}

#define CHAIN_LENGTH 300

/* Each process makes the next one and ends, so that none keeps its parent or its session's leader. */
static void be_chain(int end)
{
	char byte = 0;

	for (int i = 0; i < CHAIN_LENGTH; i++) {
		pid_t child = fork();

		if (child < 0)
			_exit(1);
		if (child)
			_exit(0);
		setsid();
	}
	_exit(write(end, &byte, 1) != 1);
}

/* A child that waits to be told, then makes a chain; its pid. */
static pid_t chain_wait(int *go, int *done)
{
	int start[2], end[2];
	pid_t child;
	char byte;

	must(!pipe(start) && !pipe(end), "no pipe");
	child = fork();
	if (!child) {
		if (read(start[0], &byte, 1) == 1)
			be_chain(end[1]);
		_exit(1);
	}
	*go = start[1];
	*done = end[0];
	return child;
}

/* A label that is written holds from then on, also for 300 generations of daemons. */
void test_labels(void)
{
	struct immune_sensor *sensor = sensor_with_roles();
	struct descent descent = { .session = 77 };
	struct immune_label label = { .role = ROLE_AGENT, .session = 77 };
	char *const arguments[] = { "x", NULL };
	struct immune_record_header own;
	int go, done, status;
	char byte = 0;

	descent.top = chain_wait(&go, &done);
	own = await(sensor, IMMUNE_KIND_FORK, descent.top);
	must(!own.role && !own.session, "role %u", own.role);
	label.pid = (uint32_t)descent.top;
	label.start_time_ns = own.start_time_ns + 1;
	label.time_ns = own.time_ns;
	must(!immune_sensor_label(sensor, &label, 1), "another process was labelled");
	label.start_time_ns = own.start_time_ns;
	must(immune_sensor_label(sensor, &label, 1) == 1, "the process was not labelled");
	must(write(go, &byte, 1) == 1 && read(done, &byte, 1) == 1, "no chain");
	must(waitpid(descent.top, &status, 0) == descent.top && !status, "status %x", status);
	poll_out(sensor, descend, &descent);
	must(descent.forks == CHAIN_LENGTH, "%d forks have the label", descent.forks);
	must(!immune_sensor_label(sensor, &label, 1), "a process that ended was labelled");
	/* What this process starts has no label of another. */
	own = await(sensor, IMMUNE_KIND_EXEC, run_and_wait("/bin/true", arguments));
	must(!own.role && !own.session, "role %u", own.role);
	immune_sensor_close(sensor);
}

/* A server that takes other ids and becomes a program without a role, which waits; its pid. */
static pid_t change_ids(int *end)
{
	char command[1024], program[512];
	char *const arguments[] = { "x", "--reuid=65534", "cat", NULL };
	int go[2];
	pid_t child;

	snprintf(program, sizeof(program), "%s/immune-server", folder);
	snprintf(command, sizeof(command), "cp \"$(command -v setpriv)\" '%s'", program);
	must(!system(command) && !chmod(folder, 0755) && !pipe(go), "no program");
	child = fork();
	if (!child) {
		dup2(go[0], STDIN_FILENO);
		close(go[1]);
		execv(program, arguments);
		_exit(1);
	}
	close(go[0]);
	*end = go[1];
	return child;
}

/* A change of ids takes nothing of a label back: one of an older program is still too late. */
void test_label_ids(void)
{
	struct immune_sensor *sensor = sensor_with_roles();
	struct immune_label late = { .role = ROLE_AGENT, .session = 78 };
	struct immune_record_header own;
	struct blob asked = roles;
	char command[1024];
	pid_t child;
	int end;

	must(mkdtemp(folder), "no folder");
	asked.head.flags = IMMUNE_POLICY_IDENTITY;
	must(!immune_sensor_policy(sensor, (const uint8_t *)&asked, sizeof(asked)), "no policy");
	child = change_ids(&end);
	own = await(sensor, IMMUNE_KIND_IDENTITY, child);
	must(own.role == ROLE_SERVER, "role %u", own.role);
	late.pid = (uint32_t)child;
	late.start_time_ns = late.time_ns = own.start_time_ns;
	must(!immune_sensor_label(sensor, &late, 1), "the label of an older program was taken");
	close(end);
	must(waitpid(child, NULL, 0) == child, "no program");
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	must(!system(command), "cannot remove %s", folder);
	immune_sensor_close(sensor);
}

static void be_server(void *program)
{
	char *const arguments[] = { "x", "-c", "i=0; f() { [ $1 -gt 0 ] && (f $(($1 - 1))); :; }; f 60",
				    NULL };

	execv(program, arguments);
	_exit(1);
}

/* A role that begins in the kernel is in the whole tree below, to the last fork. */
void test_descent(void)
{
	struct immune_sensor *sensor = sensor_with_roles();
	struct descent descent = { 0 };
	char program[512], command[1024];
	int status;

	must(mkdtemp(folder), "no folder");
	snprintf(program, sizeof(program), "%s/immune-server", folder);
	snprintf(command, sizeof(command), "cp /bin/sh '%s'", program);
	must(!system(command), "no program");
	descent.top = child_of(be_server, program, &status);
	must(!status, "status %x", status);
	poll_until(sensor, descend, &descent, &descent.done);
	must(descent.session && descent.forks == 60, "%d forks of the session", descent.forks);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	must(!system(command), "cannot remove %s", folder);
	immune_sensor_close(sensor);
}
