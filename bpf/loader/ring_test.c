// SPDX-License-Identifier: MIT
/* Records over the end of a ring, and more of them than a buffer holds. */
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "sensor_test.h"

#define WRAPPED_RUNS 60
#define LONG_ARGUMENT_BYTES 1500
#define BACKLOG_PROCESSES 600
#define REUSES_TRIED 1000
#define EVERY_KIND (~0ull)

struct wrapped {
	char argument[LONG_ARGUMENT_BYTES];
	size_t length; /* with its NUL */
	pid_t pid;
	int whole;
};

static void check_whole(const struct immune_record_header *record, void *state)
{
	static const char program[] = "true";
	struct wrapped *wrapped = state;
	const uint8_t *argv;
	uint32_t length;

	if (record->kind != IMMUNE_KIND_EXEC || record->pid != (uint32_t)wrapped->pid)
		return;
	argv = slot_of(record, IMMUNE_EXEC_SLOT_ARGV, &length);
	must(length == sizeof(program) + wrapped->length &&
	     !memcmp(argv, program, sizeof(program)) &&
	     !memcmp(argv + sizeof(program), wrapped->argument, wrapped->length),
	     "run %d: argv of %u bytes", wrapped->whole, length);
	wrapped->whole++;
}

/* Programs whose records are nearly half the ring each: they lie over its end in many places. */
void test_wrap(void)
{
	struct immune_sensor *sensor = sensor_with(4096, 4096);
	static struct wrapped wrapped;
	char *arguments[] = { "true", wrapped.argument, NULL };

	poll_out(sensor, NULL, NULL);
	for (int i = 0; i < WRAPPED_RUNS; i++) {
		wrapped.length = (size_t)(LONG_ARGUMENT_BYTES - 9 * i);
		for (size_t at = 0; at < wrapped.length; at++)
			wrapped.argument[at] = (char)('!' + (at + (size_t)i) % 90);
		wrapped.argument[wrapped.length - 1] = 0;
		wrapped.pid = run_and_wait("/bin/true", arguments);
		poll_out(sensor, check_whole, &wrapped);
	}
	/* What else runs on the host may take the room of some. */
	must(wrapped.whole > WRAPPED_RUNS / 2, "only %d came", wrapped.whole);
	immune_sensor_close(sensor);
}

struct backlog {
	uint8_t known[1 << 22 >> 3];
	uint32_t opener;
	bool opened;
	uint64_t from_ns; /* older processes may end before they are told of */
	uint64_t early;
};

static void know_record(const struct immune_record_header *record, struct backlog *backlog)
{
	uint8_t bit = (uint8_t)(1 << (record->pid & 7));
	uint8_t *byte = &backlog->known[(record->pid >> 3) % sizeof(backlog->known)];

	if (record->kind == IMMUNE_KIND_FORK || record->kind == IMMUNE_KIND_PROCESS)
		*byte |= bit;
	else if (!(*byte & bit) && record->start_time_ns > backlog->from_ns)
		backlog->early++;
	if (record->kind == IMMUNE_KIND_OPEN && record->pid == backlog->opener)
		backlog->opened = true;
}

/* Polls with the smallest buffer until nothing comes. */
static void poll_slowly(struct immune_sensor *sensor, struct backlog *backlog)
{
	static uint8_t buffer[IMMUNE_RECORD_BYTES_MAX] __attribute__((aligned(8)));
	int64_t length;

	while ((length = immune_sensor_poll(sensor, buffer, sizeof(buffer), 20)) > 0)
		for (int64_t at = 0; at < length;) {
			const struct immune_record_header *record = (const void *)(buffer + at);

			know_record(record, backlog);
			at += record->length;
		}
	must(!length, "poll gave %lld", (long long)length);
}

static void watch_set(struct immune_sensor *sensor, const char *path)
{
	struct {
		struct immune_policy_header head;
		struct immune_policy_watch watch;
		char path[32];
	} policy = {
		.head = {
			.magic = IMMUNE_POLICY_MAGIC,
			.version = IMMUNE_POLICY_VERSION,
			.header_length = sizeof(policy.head),
			.length = sizeof(policy),
			.kind_mask = EVERY_KIND,
			.watch_count = 1,
		},
		.watch = { .type = IMMUNE_WATCH_FILE, .length = (uint16_t)strlen(path) },
	};

	must(strlen(path) > sizeof(policy.path) - 8 && strlen(path) <= sizeof(policy.path),
	     "path of %zu bytes", strlen(path));
	memcpy(policy.path, path, strlen(path));
	must(!immune_sensor_policy(sensor, (const uint8_t *)&policy, sizeof(policy)), "policy");
}

static void open_file(void *path)
{
	if (open(path, O_RDONLY | O_CLOEXEC) < 0)
		_exit(1);
}

static void nothing(void *unused)
{
	(void)unused;
}

/* A watched open waits for the process that did it, also when the buffer is full before that. */
void test_backlog(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	char path[] = "/tmp/immune-backlog-test-XXXXXX";
	static struct backlog backlog;
	int fd = mkstemp(path);
	struct timespec now;
	int status;

	must(fd >= 0, "cannot make a file");
	close(fd);
	watch_set(sensor, path);
	clock_gettime(CLOCK_BOOTTIME, &now);
	backlog.from_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	poll_slowly(sensor, &backlog);
	for (int i = 0; i < BACKLOG_PROCESSES; i++)
		child_of(nothing, NULL, &status);
	backlog.opener = (uint32_t)child_of(open_file, path, &status);
	must(!status, "cannot open: status %x", status);
	poll_slowly(sensor, &backlog);
	unlink(path);
	must(backlog.opened, "the open was not reported");
	must(!backlog.early, "%llu records of processes not yet told of",
	     (unsigned long long)backlog.early);
	immune_sensor_close(sensor);
}

/* A thread of this process that has the number of one that ended: it opens the watched file. */
struct reuse {
	const char *path;
	uint32_t number;
	bool has_it;
	bool done;
	struct immune_record_header found;
};

static void *open_as(void *state)
{
	struct reuse *reuse = state;

	reuse->has_it = (uint32_t)gettid() == reuse->number;
	if (reuse->has_it) {
		int fd = open(reuse->path, O_RDONLY | O_CLOEXEC);

		must(fd >= 0, "cannot open");
		close(fd);
	}
	return NULL;
}

static void keep_open(const struct immune_record_header *record, void *state)
{
	struct reuse *reuse = state;

	if (record->kind != IMMUNE_KIND_OPEN || record->tid != reuse->number)
		return;
	reuse->found = *record;
	reuse->done = true;
}

/* A child opens in threads until one has the number: who else forks on the host may be faster. */
static void open_with_number(void *state)
{
	struct reuse *reuse = state;

	for (int i = 0; i < REUSES_TRIED && !reuse->has_it; i++) {
		FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
		pthread_t thread;

		must(last && fprintf(last, "%u", reuse->number - 1) > 0 && !fclose(last),
		     "cannot choose a number");
		must(!pthread_create(&thread, NULL, open_as, reuse), "no thread");
		pthread_join(thread, NULL);
	}
	_exit(!reuse->has_it);
}

/* An open is its process's, though a thread of it has the number of a process that ended. */
void test_number_reused(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	char path[] = "/tmp/immune-backlog-test-XXXXXX";
	struct reuse reuse = { .path = path };
	int fd = mkstemp(path), status;
	pid_t opener;

	must(fd >= 0, "cannot make a file");
	close(fd);
	watch_set(sensor, path);
	reuse.number = (uint32_t)child_of(nothing, NULL, &status);
	poll_out(sensor, NULL, NULL);
	opener = child_of(open_with_number, &reuse, &status);
	must(!status, "no thread had the number: status %x", status);
	poll_until(sensor, keep_open, &reuse, &reuse.done);
	unlink(path);
	must(reuse.done && reuse.found.pid == (uint32_t)opener, "pid %u of %u", reuse.found.pid,
	     reuse.number);
	immune_sensor_close(sensor);
}
