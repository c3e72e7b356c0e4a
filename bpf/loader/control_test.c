// SPDX-License-Identifier: MIT
/* Policy, wake-ups, snapshot, calls through the 32-bit entry. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)

struct seen {
	uint16_t kind;
	uint32_t pid;
	int count;
	bool done;
	uint32_t flags;
	char path[256];
};

static void see_record(const struct immune_record_header *record, void *state)
{
	struct seen *seen = state;

	if (record->kind != seen->kind || record->pid != seen->pid)
		return;
	seen->count++;
	seen->done = true;
	seen->flags = record->flags;
	if (record->kind == IMMUNE_KIND_OPEN) {
		uint32_t length;
		const uint8_t *path = slot_of(record, IMMUNE_OPEN_SLOT_PATH, &length);

		snprintf(seen->path, sizeof(seen->path), "%.*s", (int)length, (const char *)path);
	}
}

static void refuse(struct immune_sensor *sensor, const void *blob, uint32_t length, const char *why)
{
	char line[512] = "";

	must(immune_sensor_policy(sensor, blob, length) == -EINVAL, "%s was taken", why);
	must(immune_error(line, sizeof(line)) > 0 && !strchr(line, '\n'), "%s has no line", why);
}

/* A blob that does not hold changes nothing; an unwanted kind is counted as filtered. */
void test_policy(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct {
		struct immune_policy_header head;
		struct immune_policy_watch watch;
		char path[8];
	} good = {
		.head = { .magic = IMMUNE_POLICY_MAGIC, .version = IMMUNE_POLICY_VERSION,
			  .header_length = sizeof(good.head), .length = sizeof(good),
			  .kind_mask = EVERY_KIND, .wake_interval_us = 2000, .watch_count = 1 },
		.watch = { IMMUNE_WATCH_FILE, 4, 0 },
		.path = "/tmp",
	}, bad;
	char *arguments[] = { "/bin/true", NULL };
	struct immune_counters before, after;
	struct seen seen = { .kind = IMMUNE_KIND_EXEC };

#define BAD(member, value, why) \
	(bad = good, bad.member = (value), refuse(sensor, &bad, sizeof(bad), why))
	BAD(head.magic, 1, "a wrong magic");
	BAD(head.version, 9, "a wrong version");
	BAD(head.length, 8, "a wrong length");
	BAD(head.header_length, 4, "a short header");
	BAD(head.header_length, 4096, "a long header");
	BAD(head.flags, 1u << 31, "an unknown flag");
	BAD(head.wake_interval_us, 2000000, "a long interval");
	BAD(head.watch_count, 2, "a missing watch");
	BAD(head.watch_count, 0, "a surplus watch");
	BAD(head.watch_count, IMMUNE_WATCHES_MAX + 1, "too many watches");
	BAD(head.mark_count, 1, "a missing mark");
	BAD(head.mark_count, ~0u, "too many marks");
	BAD(head.term_count, 1, "a missing term");
	BAD(watch.type, 4, "an unknown type");
	BAD(watch.length, 0, "an empty path");
	BAD(watch.length, 9, "a cut path");
	BAD(path[0], 't', "a relative path");
	BAD(path[2], 0, "a NUL");
	BAD(path[5], 1, "dirty padding");
	refuse(sensor, &good, sizeof(good.head) - 1, "a cut header");
	policy_set(sensor, 0, EVERY_KIND & ~(1ull << IMMUNE_KIND_EXEC));
	before = counters_of(sensor, IMMUNE_KIND_EXEC, 0, IMMUNE_SOURCE_BULK - 1, NULL);
	seen.pid = (uint32_t)run_and_wait("/bin/true", arguments);
	poll_out(sensor, see_record, &seen);
	after = counters_of(sensor, IMMUNE_KIND_EXEC, 0, IMMUNE_SOURCE_BULK - 1, NULL);
	must(!seen.count && after.filtered > before.filtered, "filtered: %llu, then %llu",
	     (unsigned long long)before.filtered, (unsigned long long)after.filtered);
	immune_sensor_close(sensor);
}

static void *wake_it(void *sensor)
{
	immune_sensor_wake(sensor);
	return NULL;
}

static void *run_it(void *pid)
{
	char *arguments[] = { "/bin/true", NULL };

	*(uint32_t *)pid = (uint32_t)run_and_wait("/bin/true", arguments);
	return NULL;
}

/* An exec ends the longest wait; so does a wake, with nothing. A small buffer is refused. */
void test_wake(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const uint64_t only_exec = 1ull << IMMUNE_KIND_EXEC;
	struct seen seen = { .kind = IMMUNE_KIND_EXEC };
	uint8_t small[64];
	pthread_t thread;
	double start;

	must(immune_sensor_poll(sensor, small, sizeof(small), 0) == -EINVAL, "a small buffer");
	poll_out(sensor, NULL, NULL);
	policy_set(sensor, 0, only_exec);
	poll_out(sensor, NULL, NULL);
	start = seconds_now();
	pthread_create(&thread, NULL, run_it, &seen.pid);
	must(poll_once(sensor, 10000, NULL, NULL) > 0, "no exec");
	must(seconds_now() - start < 9, "the exec took %.3f s", seconds_now() - start);
	pthread_join(thread, NULL);
	policy_set(sensor, 0, 0);
	poll_out(sensor, NULL, NULL);
	start = seconds_now();
	pthread_create(&thread, NULL, wake_it, sensor);
	must(poll_once(sensor, 10000, NULL, NULL) == 0, "records that no policy asked for");
	must(seconds_now() - start < 9, "the wake took %.3f s", seconds_now() - start);
	pthread_join(thread, NULL);
	immune_sensor_close(sensor);
	must(immune_sensor_close(NULL) == 0, "no sensor to close");
}

/* Execs of /bin/true by this process. */
static void count_own(const struct immune_record_header *record, void *state)
{
	*(int *)state += record->kind == IMMUNE_KIND_EXEC && record->parent_pid == (uint32_t)getpid();
}

static void run_often(int times)
{
	char *arguments[] = { "/bin/true", NULL };

	for (int i = 0; i < times; i++)
		run_and_wait("/bin/true", arguments);
}

/* A batch is the end of a wait; what comes after it waits for the interval, and comes at once. */
void test_gather(void)
{
	/* Room that other programs' starts do not fill meanwhile. */
	struct immune_sensor *sensor = sensor_with(8u << 20, 0);
	const uint64_t only_exec = 1ull << IMMUNE_KIND_EXEC;
	double start;
	int own = 0;

	poll_out(sensor, NULL, NULL);
	policy_paced(sensor, only_exec, 300000);
	start = seconds_now();
	run_often(1);
	poll_once(sensor, PATIENCE_MS, count_own, &own);
	run_often(8);
	poll_once(sensor, PATIENCE_MS, count_own, &own);
	must(own == 9, "%d of 9 execs", own);
	must(seconds_now() - start >= 0.3, "gathered for %.3f s alone", seconds_now() - start);
	/* A caller that does not wait that long is let go, and gets what there is. */
	run_often(1);
	own = 0;
	poll_once(sensor, 1, count_own, &own);
	must(own == 1, "a short wait gave %d", own);

	policy_paced(sensor, only_exec, 1000000);
	run_often(1);
	poll_once(sensor, PATIENCE_MS, NULL, NULL);
	run_often(1);
	own = 0;
	immune_sensor_wake(sensor);
	start = seconds_now();
	poll_once(sensor, PATIENCE_MS, count_own, &own);
	must(own == 1, "a wake gave %d", own);
	must(seconds_now() - start < 0.9, "the wake took %.3f s", seconds_now() - start);
	immune_sensor_close(sensor);

	/* An eighth of a ring ends it too. */
	sensor = sensor_with(64u << 10, 0);
	poll_out(sensor, NULL, NULL);
	policy_paced(sensor, only_exec, 1000000);
	run_often(1);
	poll_once(sensor, PATIENCE_MS, NULL, NULL);
	run_often(64);
	start = seconds_now();
	poll_once(sensor, PATIENCE_MS, NULL, NULL);
	must(seconds_now() - start < 0.9, "a full ring took %.3f s", seconds_now() - start);
	immune_sensor_close(sensor);
}

struct hashed {
	uint32_t last; /* of the programs that ran */
	int count;
	bool told;
};

static void see_hash(const struct immune_record_header *record, void *state)
{
	struct hashed *hashed = state;

	if (record->parent_pid != (uint32_t)getpid())
		return;
	if (record->kind == IMMUNE_KIND_EXEC)
		hashed->last = record->pid;
	if (record->kind != IMMUNE_KIND_IMAGE_HASH)
		return;
	must(record->pid == hashed->last, "the hash is of %u, not of %u", record->pid,
	     hashed->last);
	hashed->count++;
	hashed->told = true;
}

/* Starts of a program that are read together are one look at its file, for the last of them. */
void test_starts(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct hashed hashed = { 0 };
	static struct immune_stats_row rows[ROWS_MAX];
	int64_t count;

	poll_out(sensor, NULL, NULL);
	policy_set(sensor, IMMUNE_POLICY_HASHES, 1ull << IMMUNE_KIND_EXEC);
	poll_out(sensor, NULL, NULL);
	run_often(20);
	poll_until(sensor, see_hash, &hashed, &hashed.told);
	must(hashed.count == 1, "%d hashes of one version", hashed.count);
	count = immune_sensor_stats(sensor, rows, ROWS_MAX);
	for (int64_t i = 0; i < count; i++) {
		const struct immune_counters *row = &rows[i].counters;

		if (rows[i].kind || rows[i].source != (uint16_t)IMMUNE_SOURCE_HASH)
			continue;
		must(row->filtered >= 19, "%llu filtered", (unsigned long long)row->filtered);
		must(row->seen == row->submitted + row->filtered + row->ring_full +
					  row->oversized + row->unreadable, "the sum");
		count = -1;
	}
	must(count < 0, "no row of hashes");
	immune_sensor_close(sensor);
}

struct family {
	uint32_t pids[65536];
	int count;
	int orphans;
	int hidden;
	bool ourselves;
};

static bool family_has(const struct family *family, uint32_t pid)
{
	for (int i = 0; i < family->count; i++)
		if (family->pids[i] == pid)
			return true;
	return false;
}

static void adopt_record(const struct immune_record_header *record, void *state)
{
	struct family *family = state;
	char image[4096];
	ssize_t length;

	if (record->kind != IMMUNE_KIND_PROCESS || family->count == 65536)
		return;
	must(record->sequence == (uint64_t)family->count + 1, "sequence");
	family->orphans += record->parent_pid && !family_has(family, record->parent_pid);
	family->hidden += !!(record->flags & IMMUNE_FLAG_HIDDEN);
	family->pids[family->count++] = record->pid;
	if (record->pid != (uint32_t)getpid())
		return;
	length = readlink("/proc/self/exe", image, sizeof(image) - 1);
	image[length] = 0;
	family->ourselves = slot_is(record, IMMUNE_PROCESS_SLOT_IMAGE, image);
}

/* Everything that runs is told of at once, parents before children, ourselves among them. */
void test_snapshot(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct family family;

	poll_once(sensor, 0, adopt_record, &family);
	must(family.count > 1 && family.ourselves, "%d processes", family.count);
	must(!family.orphans, "%d children before their parents", family.orphans);
	must(!family.hidden, "%d processes hidden from /proc", family.hidden);
	immune_sensor_close(sensor);
}

/* open(2) by int 0x80 from a 64-bit program: other numbers, flagged, the same path. */
void test_compat(void)
{
#if defined(__x86_64__)
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct seen seen = { .kind = IMMUNE_KIND_OPEN, .pid = (uint32_t)getpid() };
	char *path = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd;

	must(path != MAP_FAILED, "no low memory");
	policy_set(sensor, IMMUNE_POLICY_WIDE_OPEN, EVERY_KIND);
	poll_out(sensor, NULL, NULL);
	strcpy(path, "/dev/../dev/zero");
	asm volatile("int $0x80" : "=a"(fd) : "a"(5), "b"(path), "c"(0), "d"(0) : "memory");
	if (fd == -ENOSYS)
		skip("this kernel has no 32-bit entry");
	must(fd >= 0, "open gave %ld", fd);
	poll_until(sensor, see_record, &seen, &seen.done);
	must(seen.flags & IMMUNE_FLAG_COMPAT, "flags %x", seen.flags);
	must(!strcmp(seen.path, "/dev/zero"), "path %s", seen.path);
	immune_sensor_close(sensor);
#else
	skip("programs of this machine have one way into the kernel");
#endif
}
