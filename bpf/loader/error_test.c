// SPDX-License-Identifier: MIT
/* Every failure has its own line: that of an earlier one would lead people astray. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enforcement.h"
#include "immune_enforce.h"
#include "sensor_test.h"

#define EARLIER "/immune-error-of-before"
/* Descriptors that enforcement by fanotify takes at most, while it starts and changes its policy. */
#define DESCRIPTORS_MAX 24
/* One more than are marked. */
#define TOO_MANY 4097
/* One more file systems than are marked of all namespaces. */
#define TOO_MANY_MOUNTED 8193
/* Names of near NAME_MAX bytes that are more than PATH_MAX in a row. */
#define NESTED 17

struct enforce_blob {
	struct immune_enforce_header header;
	struct immune_enforcement policy;
	struct immune_enforce_mark mark;
	struct immune_enforce_hash hash;
};

static void fail_earlier(void)
{
	uint8_t byte;

	must(immune_read(EARLIER, &byte, 1) == -EPERM, "the earlier error");
}

/* A failure has a line, and not that of the error before it. */
static void check_line(const char *call, int64_t result, const char *part)
{
	char line[512] = "";

	must(result < 0, "%s gave %lld", call, (long long)result);
	immune_error(line, sizeof(line));
	must(!strncmp(line, "Cannot ", strlen("Cannot ")), "%s: \"%s\"", call, line);
	must(!strstr(line, EARLIER), "%s shows the error of before: %s", call, line);
	must(strstr(line, part), "%s: \"%s\" lacks \"%s\"", call, line, part);
}

#define FAILS(call, part) (fail_earlier(), check_line(#call, call, part))

static void check_nothing_given(void)
{
	uint32_t one;

	FAILS(immune_sensor_open(NULL, NULL), "argument");
	FAILS(immune_sensor_poll(NULL, NULL, 0, 0), "buffer");
	FAILS(immune_sensor_wake(NULL), "argument");
	FAILS(immune_sensor_stats(NULL, NULL, 0), "argument");
	FAILS(immune_sensor_folded(NULL, NULL, 0), "argument");
	FAILS(immune_sensor_programs(NULL, NULL, 0), "argument");
	FAILS(immune_sensor_policy(NULL, NULL, 0), "argument");
	FAILS(immune_sensor_unwatched(NULL), "argument");
	FAILS(immune_sensor_label(NULL, NULL, 0), "argument");
	FAILS(immune_capabilities(NULL, NULL, 0), "argument");
	FAILS(immune_process_signal(NULL, 0, 0, NULL, 0), "argument");
	FAILS(immune_sensor_program_ids(NULL, &one, 1), "argument");
	FAILS(immune_programs_left(NULL, 1), "argument");
	FAILS(immune_sensor_verify(NULL, NULL, 0), "argument");
	FAILS(immune_read(NULL, NULL, 0), "no path");
	FAILS(immune_enforce_open(NULL, NULL, NULL), "argument");
	FAILS(immune_enforce_policy(NULL, NULL, 0), "argument");
	FAILS(immune_enforce_look(NULL), "argument");
	FAILS(immune_enforce_left(NULL, NULL, 0), "argument");
	FAILS(immune_enforce_asks(NULL, 0), "argument");
	FAILS(immune_enforce_pause(NULL, 0), "argument");
	FAILS(immune_enforce_counts(NULL, NULL, 0), "argument");
	FAILS(immune_enforce_program_ids(NULL, NULL, 0), "argument");
	FAILS(immune_enforce_release("nowhere", NULL, 0), "argument");
	FAILS(immune_enforce_pinned("nowhere"), "argument");
	FAILS(immune_enforce_trial(NULL, NULL, 0), "argument");
	FAILS(immune_file_about(NULL, 0, NULL), "argument");
}

static struct enforce_blob blob_of(uint32_t marks)
{
	struct enforce_blob blob = {
		.header = { .magic = IMMUNE_ENFORCE_MAGIC, .version = IMMUNE_ENFORCE_VERSION,
			    .header_length = sizeof(blob.header), .mark_count = marks },
	};

	blob.header.length = (uint32_t)(offsetof(struct enforce_blob, mark) +
					marks * sizeof(blob.mark));
	return blob;
}

static int64_t give(struct immune_enforce *enforce, const struct enforce_blob *blob)
{
	return immune_enforce_policy(enforce, (const uint8_t *)blob, blob->header.length);
}

/* Leaves so many descriptors, and not one more. */
static void leave_descriptors(uint32_t count)
{
	int lowest = dup(0);
	struct rlimit limit;

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)lowest + count;
	must(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit: %s", strerror(errno));
}

/* Wherever a start ends for want of a descriptor, that is what is said. */
void test_errors(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0), *other;
	struct immune_enforce *enforce = enforce_by_fanotify(sensor), *second;
	const struct immune_enforce_options by_fanotify = { .abi = IMMUNE_ENFORCE_ABI,
							    .tiers = 1u << IMMUNE_TIER_FANOTIFY };
	const struct enforce_blob blob = blob_of(0);
	int64_t result = -1;
	struct rlimit whole;
	uint32_t failed = 0;

	check_nothing_given();
	getrlimit(RLIMIT_NOFILE, &whole);
	for (uint32_t i = 0; i < DESCRIPTORS_MAX; i++) {
		leave_descriptors(i);
		fail_earlier();
		result = immune_sensor_open(NULL, &other);
		if (result)
			check_line("open", result, "");
		else
			immune_sensor_close(other);
		fail_earlier();
		result = immune_enforce_open(sensor, &by_fanotify, &second);
		if (result)
			check_line("enforce_open", result, "");
		else
			immune_enforce_close(second);
		fail_earlier();
		result = give(enforce, &blob);
		if (result)
			check_line("policy", result, "");
		failed += result < 0;
		setrlimit(RLIMIT_NOFILE, &whole);
	}
	must(!result, "a policy takes over %d descriptors", DESCRIPTORS_MAX);
	must(failed > 4, "only %u ways to fail", failed);
	immune_enforce_close(enforce);
	immune_sensor_close(sensor);
}

/* Makes nested directories of over PATH_MAX bytes, as anybody may, or takes them away. */
static void nest(const char *folder, char letter, bool make)
{
	char name[NAME_MAX] = "";
	int at[NESTED + 1] = { open(folder, O_DIRECTORY | O_CLOEXEC) };

	memset(name, letter, sizeof(name) - 1);
	for (int i = 0; i < NESTED; i++) {
		must(!make || !mkdirat(at[i], name, 0700), "%d: %s", i, strerror(errno));
		at[i + 1] = openat(at[i], name, O_DIRECTORY | O_CLOEXEC);
		must(at[i + 1] >= 0, "%d: %s", i, strerror(errno));
	}
	for (int i = NESTED; i >= 0; i--) {
		close(at[i]);
		must(!i || make || !unlinkat(at[i - 1], name, AT_REMOVEDIR), "%d", i);
	}
}

/* What is too long to be named is told of; all else of the tree, and of the policy, is marked. */
static void too_deep_is_left_out(struct immune_enforce *enforce, struct enforce_blob *blob)
{
	char line[512] = "";

	nest(blob->mark.path, 'a', true);
	must(give(enforce, blob) == 1, "a tree that is too deep");
	immune_error(line, sizeof(line));
	must(strstr(line, blob->mark.path) && strstr(line, strerror(ENAMETOOLONG)), "%s", line);
	nest(blob->mark.path, 'b', true);
	must(immune_enforce_look(enforce) == 2, "a look at two of them");
	immune_error(line, sizeof(line));
	must(!strncmp(line, "2 places ", strlen("2 places ")), "%s", line);
	nest(blob->mark.path, 'a', false);
	nest(blob->mark.path, 'b', false);
}

/* How many places the last look left out for a reason. */
static uint32_t left_of(struct immune_enforce *enforce, enum immune_left_what what)
{
	struct immune_left_row rows[IMMUNE_LEFT_COUNT] = { 0 };
	int64_t count = immune_enforce_left(enforce, rows, IMMUNE_LEFT_COUNT);

	for (int64_t i = 0; i < count; i++)
		if (rows[i].what == what)
			return rows[i].count;
	return 0;
}

/* A process with so many file systems in a mount namespace of its own; the device of each. */
static pid_t mount_many(const char *folder, uint64_t *devices)
{
	int told[2];
	char path[64], done = 0;
	pid_t child;

	must(!pipe2(told, O_CLOEXEC), "%s", strerror(errno));
	child = fork();
	must(child >= 0, "cannot fork");
	if (child) {
		close(told[1]);
		must(read(told[0], &done, 1) == 1, "a namespace with %d", TOO_MANY_MOUNTED);
		close(told[0]);
		return child;
	}
	/* It has the groups of the sensor, too. */
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL) && !unshare(CLONE_NEWNS) &&
	     !mount("immune", folder, "tmpfs", 0, NULL), "%s", strerror(errno));
	for (int i = 0; i < TOO_MANY_MOUNTED; i++) {
		struct stat about;

		snprintf(path, sizeof(path), "%s/%d", folder, i);
		must(!mkdir(path, 0700) && !mount("immune", path, "tmpfs", 0, NULL) &&
		     !stat(path, &about), "%s: %s", path, strerror(errno));
		devices[i] = major(about.st_dev) << 20 | minor(about.st_dev);
	}
	must(write(told[1], &done, 1) == 1, "%s", strerror(errno));
	pause();
	_exit(0);
}

/* Whatever is not asked about is told as left out: what is hashed is never counted as if it were not. */
static void too_many_file_systems(struct immune_enforce *enforce, const char *folder)
{
	struct enforce_blob blob = blob_of(1);
	uint64_t *devices = mmap(NULL, TOO_MANY_MOUNTED * sizeof(*devices), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t not_asked = 0;
	int status;
	pid_t child;

	must(devices != MAP_FAILED, "%s", strerror(errno));
	child = mount_many(folder, devices);
	blob.header.hash_count = 1;
	blob.header.length = sizeof(blob);
	blob.mark.place = IMMUNE_PLACE_EVERYWHERE;
	blob.mark.events = IMMUNE_EVENT_EXEC;
	strcpy(blob.mark.path, "/");
	must(give(enforce, &blob) >= 0, "too many file systems of all namespaces");
	for (int i = 0; i < TOO_MANY_MOUNTED; i++)
		not_asked += !immune_enforce_asks(enforce, devices[i]);
	must(not_asked && not_asked < TOO_MANY_MOUNTED, "%u are not asked about", not_asked);
	must(left_of(enforce, IMMUNE_LEFT_MOUNT) >= not_asked, "%u of %u are left out",
	     left_of(enforce, IMMUNE_LEFT_MOUNT), not_asked);
	must(!kill(child, SIGKILL) && waitpid(child, &status, 0) == child, "%s", strerror(errno));
	must(!munmap(devices, TOO_MANY_MOUNTED * sizeof(*devices)), "%s", strerror(errno));
}

/* Too many of what is marked: the policy is in force, and it is told how many are too many. */
void test_mark_bounds(void)
{
	char folder[] = "/tmp/immune-marks-XXXXXX", path[64];
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct immune_enforce *enforce = enforce_by_fanotify(sensor);
	struct enforce_blob blob = blob_of(1);

	/* Mounts of this process alone. */
	must(!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "a mount namespace: %s", strerror(errno));
	must(mkdtemp(folder) && !mount("immune", folder, "tmpfs", 0, NULL), "tmpfs: %s",
	     strerror(errno));
	blob.mark.place = IMMUNE_PLACE_TREE;
	blob.mark.events = IMMUNE_EVENT_OPEN;
	strcpy(blob.mark.path, folder);
	too_many_file_systems(enforce, folder);
	too_deep_is_left_out(enforce, &blob);
	for (int i = 0; i < TOO_MANY; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		must(!mkdir(path, 0700), "%s: %s", path, strerror(errno));
	}
	must(give(enforce, &blob) == TOO_MANY - 4095, "a tree of too many directories");
	must(left_of(enforce, IMMUNE_LEFT_DIRECTORIES) == TOO_MANY - 4095, "%u are left out",
	     left_of(enforce, IMMUNE_LEFT_DIRECTORIES));
	blob.mark.place = 9;
	FAILS(give(enforce, &blob), "Cannot mark");
	for (int i = 0; i < TOO_MANY; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		must(!mount(folder, path, NULL, MS_BIND, NULL), "%s: %s", path, strerror(errno));
	}
	blob.mark.place = IMMUNE_PLACE_EVERYWHERE;
	blob.mark.events = IMMUNE_EVENT_EXEC;
	strcpy(blob.mark.path, "/");
	must(give(enforce, &blob) > 0, "too many file systems");
	must(left_of(enforce, IMMUNE_LEFT_MOUNT) >= TOO_MANY - 4096, "%u are left out",
	     left_of(enforce, IMMUNE_LEFT_MOUNT));
	must(!umount2(folder, MNT_DETACH) && !rmdir(folder), "%s: %s", folder, strerror(errno));
	immune_enforce_close(enforce);
	immune_sensor_close(sensor);
}
