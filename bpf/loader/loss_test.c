// SPDX-License-Identifier: MIT
/* Counters against an independent count, with room and without. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sensor_test.h"

#define RUNS 300
#define FLOODED_RUNS 200
#define SOURCE_BULK_LAST (IMMUNE_SOURCE_BULK + 0x3fff)
#define EVERY_KIND (~0ull)

static char *const true_arguments[] = { "/bin/true", "one two", "", "three", NULL };

struct tally {
	pid_t pids[RUNS];
	int count;
	uint8_t forks[RUNS], execs[RUNS], exits[RUNS];
	uint64_t lifecycle, bulk;
	bool done;
};

static void count_record(const struct immune_record_header *record, void *state)
{
	struct tally *tally = state;

	tally->lifecycle += record->source < IMMUNE_SOURCE_BULK;
	tally->bulk += record->source >= IMMUNE_SOURCE_BULK && record->source <= SOURCE_BULK_LAST;
	if (record->source >= IMMUNE_SOURCE_BULK)
		return;
	/* The latest first: a pid may come again. */
	for (int i = tally->count - 1; i >= 0; i--) {
		if (record->pid != (uint32_t)tally->pids[i])
			continue;
		tally->forks[i] += record->kind == IMMUNE_KIND_FORK;
		tally->execs[i] += record->kind == IMMUNE_KIND_EXEC;
		tally->exits[i] += record->kind == IMMUNE_KIND_EXIT;
		must(record->parent_pid == (uint32_t)getpid() || record->kind == IMMUNE_KIND_EXIT,
		     "parent %u", record->parent_pid);
		return;
	}
}

static void add_up(const struct immune_counters *sum)
{
	must(sum->seen == sum->submitted + sum->filtered + sum->ring_full + sum->oversized +
	     sum->unreadable, "seen %llu is not the sum of the rest",
	     (unsigned long long)sum->seen);
}

/* Each program that was run gives one fork, one exec, one exit; every counter adds up. */
void test_counts(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct tally tally;
	struct immune_counters sum;
	uint64_t sequences;

	while (tally.count < RUNS)
		tally.pids[tally.count++] = run_and_wait("/bin/true", true_arguments);
	policy_set(sensor, 0, 0); /* the host falls silent, so that the sums stand still */
	poll_out(sensor, count_record, &tally);
	for (int i = 0; i < RUNS; i++)
		must(tally.forks[i] == 1 && tally.execs[i] == 1 && tally.exits[i] == 1,
		     "run %d: %u forks, %u execs, %u exits", i, tally.forks[i], tally.execs[i],
		     tally.exits[i]);
	sum = counters_of(sensor, 0, 0, IMMUNE_SOURCE_BULK - 1, &sequences);
	add_up(&sum);
	must(sum.submitted == tally.lifecycle, "%llu submitted, %llu received",
	     (unsigned long long)sum.submitted, (unsigned long long)tally.lifecycle);
	must(sum.submitted == sequences, "%llu sequence numbers", (unsigned long long)sequences);
	immune_sensor_close(sensor);
}

/* A ring of one page, and nobody reads: what is missing is what ring_full says, in gaps. */
void test_overflow(void)
{
	struct immune_sensor *sensor = sensor_with(4096, 4096);
	static struct tally tally;
	struct immune_counters sum;
	uint64_t sequences;

	while (tally.count < RUNS)
		tally.pids[tally.count++] = run_and_wait("/bin/true", true_arguments);
	policy_set(sensor, 0, 0);
	poll_out(sensor, count_record, &tally);
	sum = counters_of(sensor, 0, 0, IMMUNE_SOURCE_BULK - 1, &sequences);
	add_up(&sum);
	must(sum.ring_full > RUNS, "only %llu lost", (unsigned long long)sum.ring_full);
	must(sum.submitted == tally.lifecycle, "%llu submitted, %llu received",
	     (unsigned long long)sum.submitted, (unsigned long long)tally.lifecycle);
	must(sequences - tally.lifecycle == sum.ring_full + sum.unreadable + sum.oversized,
	     "gaps of %llu", (unsigned long long)(sequences - tally.lifecycle));
	immune_sensor_close(sensor);
}

static volatile bool flooding;

static void *flood(void *unused)
{
	(void)unused;
	while (flooding) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Opens overrun their ring while programs start: no exec is lost, lost opens are counted. */
void test_flood(void)
{
	struct immune_sensor *sensor = sensor_with(0, 16384);
	static struct tally tally;
	struct immune_counters lifecycle, bulk;
	uint64_t sequences;
	pthread_t thread;

	policy_set(sensor, IMMUNE_POLICY_WIDE_OPEN, EVERY_KIND);
	flooding = true;
	must(!pthread_create(&thread, NULL, flood, NULL), "cannot start a thread");
	for (int i = 0; i < FLOODED_RUNS; i++) {
		tally.pids[tally.count++] = run_and_wait("/bin/true", true_arguments);
		poll_once(sensor, 0, count_record, &tally);
	}
	flooding = false;
	pthread_join(thread, NULL);
	policy_set(sensor, 0, 0);
	poll_out(sensor, count_record, &tally);
	for (int i = 0; i < FLOODED_RUNS; i++)
		must(tally.execs[i] == 1, "run %d: %u execs", i, tally.execs[i]);
	lifecycle = counters_of(sensor, 0, 0, IMMUNE_SOURCE_BULK - 1, NULL);
	must(!lifecycle.ring_full, "%llu of lifecycle lost",
	     (unsigned long long)lifecycle.ring_full);
	bulk = counters_of(sensor, 0, IMMUNE_SOURCE_BULK, SOURCE_BULK_LAST, &sequences);
	add_up(&bulk);
	must(bulk.ring_full, "the flood did not fill the ring");
	must(bulk.submitted == tally.bulk, "%llu submitted, %llu received",
	     (unsigned long long)bulk.submitted, (unsigned long long)tally.bulk);
	must(sequences == bulk.submitted + bulk.ring_full + bulk.unreadable + bulk.oversized,
	     "%llu sequence numbers", (unsigned long long)sequences);
	immune_sensor_close(sensor);
}

struct unknown {
	/* Processes that began before this had their snapshot beside their end. */
	uint64_t from_ns;
	uint8_t known[1 << 22 >> 3];
	uint64_t early;
};

/* Remembers processes by pid; what a process does before it was told of is early. */
static void know_record(const struct immune_record_header *record, void *state)
{
	struct unknown *unknown = state;
	uint8_t bit = (uint8_t)(1 << (record->pid & 7));
	uint8_t *byte = &unknown->known[(record->pid >> 3) % sizeof(unknown->known)];

	if (record->kind == IMMUNE_KIND_FORK || record->kind == IMMUNE_KIND_PROCESS)
		*byte |= bit;
	/* Names of cgroups are of no process. */
	else if (record->kind != IMMUNE_KIND_CGROUP && !(*byte & bit) &&
		 record->start_time_ns > unknown->from_ns)
		unknown->early++;
}

/* A process is told of before anything that it does, snapshot included. */
void test_order(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct unknown unknown;
	struct timespec now;

	policy_set(sensor, IMMUNE_POLICY_WIDE_OPEN, EVERY_KIND);
	clock_gettime(CLOCK_BOOTTIME, &now);
	unknown.from_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	for (int i = 0; i < RUNS; i++) {
		run_and_wait("/bin/true", true_arguments);
		poll_once(sensor, 0, know_record, &unknown);
	}
	poll_once(sensor, 20, know_record, &unknown);
	must(!unknown.early, "%llu records of processes not yet told of",
	     (unsigned long long)unknown.early);
	immune_sensor_close(sensor);
}
