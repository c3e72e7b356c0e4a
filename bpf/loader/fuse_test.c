// SPDX-License-Identifier: MIT
/* Files that a process serves, and what waits for it when it stands still: nobody but who asked. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enforcement.h"
#include "fuse_server_test.h"
#include "immune_enforce.h"
#include "sensor_test.h"

#define EVERY_KIND (~0ull)
/* Longest component that is kept (NAME_MAX). */
#define NAME_BYTES_MAX 255
/* What hangs is ended, and the test with it. */
#define HANGS_S 60
/* What is listed by its hash is refused within that, however many others wait for theirs. */
#define REFUSES_S 30
/* A sensor closes sooner than that, whoever waits for whom. */
#define CLOSES_S 15

struct scene {
	struct immune_sensor *sensor;
	pid_t server;
	_Atomic int *mute;
	char root[32];
	char folder[48];
	char program[64], watched[64]; /* served */
	char plain[48]; /* a program of a file system of the kernel's own */
};

struct seen {
	const struct scene *scene;
	uint8_t served_digest[32], plain_digest[32];
	uint32_t pid; /* of the open that is waited for */
	bool exec_served, hash_served, hash_plain, opened, done;
	bool (*is_done)(const struct seen *seen);
	uint32_t flags, original;
	char path[2048];
};

static bool slot_ends(const struct immune_record_header *record, int index, const char *text)
{
	uint32_t length;
	const uint8_t *bytes = slot_of(record, index, &length);

	return length == strlen(text) && !memcmp(bytes, text, length);
}

static void see(const struct immune_record_header *record, void *state)
{
	struct seen *seen = state;
	const struct scene *scene = seen->scene;

	if (record->kind == IMMUNE_KIND_EXEC &&
	    slot_ends(record, IMMUNE_EXEC_SLOT_IMAGE, scene->program))
		seen->exec_served = true;
	if (record->kind == IMMUNE_KIND_IMAGE_HASH) {
		uint32_t length;
		const uint8_t *digest = slot_of(record, IMMUNE_IMAGE_HASH_SLOT_SHA256, &length);

		if (slot_ends(record, IMMUNE_IMAGE_HASH_SLOT_PATH, scene->program)) {
			seen->hash_served = true;
			memcpy(seen->served_digest, digest, sizeof(seen->served_digest));
		}
		if (slot_ends(record, IMMUNE_IMAGE_HASH_SLOT_PATH, scene->plain)) {
			seen->hash_plain = true;
			memcpy(seen->plain_digest, digest, sizeof(seen->plain_digest));
		}
	}
	if (record->kind == IMMUNE_KIND_OPEN && record->pid == seen->pid) {
		const struct immune_slot *slot =
			(const void *)((const uint8_t *)record + record->header_length +
				       record->body_length);
		uint32_t length;
		const uint8_t *path = slot_of(record, IMMUNE_OPEN_SLOT_PATH, &length);

		if (length > strlen(scene->folder) && length < sizeof(seen->path) &&
		    !memcmp(path, scene->folder, strlen(scene->folder))) {
			memcpy(seen->path, path, length);
			seen->path[length] = 0;
			seen->flags = record->flags;
			seen->original = slot->original_length;
			seen->opened = true;
		}
	}
	seen->done = seen->is_done(seen);
}

/* A program that sleeps, and is the only one with these bytes: no other of the host has its hash. */
static void make_program(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "cat /bin/sleep /proc/sys/kernel/random/uuid > %s", path);
	must(!system(command) && !chmod(path, 0700), "%s", command);
}

static struct scene scene_begin(const char *options)
{
	struct scene scene = { .root = "/tmp/immune-fuse-XXXXXX" };

	alarm(HANGS_S);
	must(mkdtemp(scene.root), "%s: %s", scene.root, strerror(errno));
	snprintf(scene.plain, sizeof(scene.plain), "%s/plain", scene.root);
	snprintf(scene.folder, sizeof(scene.folder), "%s/served", scene.root);
	make_program(scene.plain);
	scene.server = fuse_start(scene.folder, scene.plain, options);
	scene.mute = fuse_mute();
	snprintf(scene.program, sizeof(scene.program), "%s/runs", scene.folder);
	snprintf(scene.watched, sizeof(scene.watched), "%s/watched", scene.folder);
	return scene;
}

static void scene_end(struct scene *scene)
{
	fuse_end(scene->server, scene->folder);
	unlink(scene->plain);
	rmdir(scene->root);
}

/* A policy that watches the served file, opens and changes, and has programs hashed. */
static int64_t watch_served(const struct scene *scene)
{
	struct {
		struct immune_policy_header head;
		struct immune_policy_watch watch;
		char path[64];
	} policy = {
		.head = { .magic = IMMUNE_POLICY_MAGIC, .version = IMMUNE_POLICY_VERSION,
			  .header_length = sizeof(policy.head), .kind_mask = EVERY_KIND,
			  .flags = IMMUNE_POLICY_WIDE_OPEN | IMMUNE_POLICY_HASHES,
			  .wake_interval_us = 2000, .watch_count = 1 },
		.watch = { .type = IMMUNE_WATCH_FILE,
			   .wants = IMMUNE_WATCH_OPENS | IMMUNE_WATCH_CHANGES,
			   .length = (uint16_t)strlen(scene->watched) },
	};

	strcpy(policy.path, scene->watched);
	policy.head.length = (uint32_t)(offsetof(typeof(policy), path) +
					((strlen(scene->watched) + 7) & ~7ul));
	return immune_sensor_policy(scene->sensor, (const uint8_t *)&policy, policy.head.length);
}

/* Starts a program that sleeps and waits until it runs. */
static pid_t start(const char *program, const char *seconds)
{
	int ends[2];
	char byte;
	pid_t pid;

	must(!pipe2(ends, O_CLOEXEC), "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		/* One that outlived a test that failed would hold its output open. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, seconds, NULL);
		_exit(127);
	}
	close(ends[1]);
	/* Its end is closed by the exec. */
	must(!read(ends[0], &byte, 1), "%s wrote", program);
	close(ends[0]);
	return pid;
}

/* Starts one that sleeps for long, and waits until it does: then it reads nothing of its file. */
static pid_t start_sleeper(const char *program)
{
	pid_t pid = start(program, "1000");
	char path[32], line[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (double end = seconds_now() + HANGS_S; seconds_now() < end; sched_yield()) {
		FILE *file = fopen(path, "re");
		bool sleeps = file && fgets(line, sizeof(line), file) &&
			      (atoi(line) == SYS_clock_nanosleep || atoi(line) == SYS_nanosleep);

		if (file)
			fclose(file);
		if (sleeps)
			return pid;
	}
	must(false, "%s does not sleep", program);
}

static void stop(pid_t pid)
{
	int status;

	must(!kill(pid, SIGSTOP) && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status),
	     "the server goes on");
}

static void open_one(void *argument)
{
	int fd = open(argument, O_RDONLY);

	_exit(fd < 0);
}

static bool both_done(const struct seen *seen)
{
	return seen->exec_served && seen->hash_plain;
}

static bool was_opened(const struct seen *seen)
{
	return seen->opened;
}

static bool both_hashed(const struct seen *seen)
{
	return seen->hash_served && seen->hash_plain;
}

/* Counters of the second lane. */
static struct immune_counters apart(struct immune_sensor *sensor, uint16_t source)
{
	static struct immune_stats_row rows[ROWS_MAX];
	int64_t count = immune_sensor_stats(sensor, rows, ROWS_MAX);

	for (int64_t i = 0; i < count && i < ROWS_MAX; i++)
		if (!rows[i].kind && rows[i].source == source)
			return rows[i].counters;
	return (struct immune_counters){ 0 };
}

/* Polls until the second lane has given up so many files that it asked for, and has not asked for so
 * many. */
static void given_up(struct scene *scene, struct seen *seen, uint64_t late, uint64_t refused)
{
	struct immune_counters still = { 0 };

	for (double end = seconds_now() + HANGS_S; seconds_now() < end;) {
		still = apart(scene->sensor, (uint16_t)IMMUNE_SOURCE_HASH_STILL);
		if (still.unreadable == late && still.filtered == refused)
			return;
		poll_once(scene->sensor, 50, see, seen);
	}
	must(false, "late %llu, not asked %llu", (unsigned long long)still.unreadable,
	     (unsigned long long)still.filtered);
}

/* An exec is told and hashed as any other; a watch is refused; long names are cut and flagged. */
void test_fuse(void)
{
	const uint32_t cut = IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED;
	struct scene scene = scene_begin("");
	struct seen seen = { .scene = &scene, .is_done = both_hashed };
	pid_t served;
	char long_name[FUSE_LONG_NAME_BYTES + 1], path[512], line[512] = "";
	int status;

	scene.sensor = sensor_with(0, 0);
	must(watch_served(&scene) > 0, "a served file is watched");
	immune_error(line, sizeof(line));
	must(strstr(line, scene.watched) && strstr(line, "FUSE"), "%s", line);

	served = start_sleeper(scene.program);
	waitpid(start(scene.plain, "0"), &status, 0);
	poll_until(scene.sensor, see, &seen, &seen.done);
	must(both_hashed(&seen), "hash %d, of the served one %d", seen.hash_plain, seen.hash_served);
	must(!memcmp(seen.served_digest, seen.plain_digest, sizeof(seen.plain_digest)), "digest");
	/* Counted once it is told. */
	for (double end = seconds_now() + HANGS_S; seconds_now() < end; sched_yield())
		if (apart(scene.sensor, (uint16_t)IMMUNE_SOURCE_HASH_APART).submitted == 1)
			break;
	must(apart(scene.sensor, (uint16_t)IMMUNE_SOURCE_HASH_APART).submitted == 1, "counted");
	kill(served, SIGKILL);
	waitpid(served, &status, 0);

	seen.is_done = was_opened;
	seen.done = false;
	fuse_long_name(long_name);
	snprintf(path, sizeof(path), "%s/%s", scene.folder, long_name);
	seen.pid = (uint32_t)child_of(open_one, path, &status);
	must(!status, "open of a long name: %x", status);
	poll_until(scene.sensor, see, &seen, &seen.done);
	must(seen.opened, "the open was not told");
	must((seen.flags & cut) == cut, "flags %x", seen.flags);
	must(strlen(seen.path) == strlen(scene.folder) + 1 + NAME_BYTES_MAX, "%s", seen.path);
	must(!strncmp(seen.path, path, strlen(seen.path)), "%s", seen.path);
	must(seen.original == strlen(path), "original length %u", seen.original);
	immune_sensor_close(scene.sensor);
	scene_end(&scene);
}

/* Lays a folder under an overlay in a user namespace, as anybody may, and runs its program there. */
static const char in_overlay[] =
	"mount -t tmpfs none \"$1\" && mkdir \"$1/up\" \"$1/work\" \"$1/all\" && "
	"mount -t overlay none -o \"lowerdir=$2,upperdir=$1/up,workdir=$1/work,userxattr\" \"$1/all\" && "
	"exec \"$1/all/$3\" 1000";

/* Runs a program of a folder in such an overlay, until its hash and that of the plain one came. */
static void run_in_overlay(struct scene *scene, const char *folder, const char *name)
{
	struct seen seen = { .scene = scene, .is_done = both_hashed };
	char at[48];
	int status;
	pid_t pid;

	snprintf(at, sizeof(at), "%s/over", scene->root);
	snprintf(scene->program, sizeof(scene->program), "%s/all/%s", at, name);
	must(!mkdir(at, 0700), "%s: %s", at, strerror(errno));
	scene->sensor = sensor_with(0, 0);
	must(watch_served(scene) > 0, "a served file is watched");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/usr/bin/unshare", "unshare", "-Urm", "sh", "-c", in_overlay, "sh", at, folder,
		      name, NULL);
		_exit(127);
	}
	waitpid(start(scene->plain, "0"), &status, 0);
	poll_until(scene->sensor, see, &seen, &seen.done);
	must(both_hashed(&seen), "exec %d, hash %d, of the overlay %d", seen.exec_served,
	     seen.hash_plain, seen.hash_served);
	must(!memcmp(seen.served_digest, seen.plain_digest, sizeof(seen.plain_digest)), "digest");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	immune_sensor_close(scene->sensor);
	rmdir(at);
}

/* Whether this kernel can mount a file system of that name without loading a module first. */
static bool has_file_system(const char *name)
{
	char line[64], wanted[64];
	FILE *file = fopen("/proc/filesystems", "re");
	bool found = false;

	snprintf(wanted, sizeof(wanted), "nodev\t%s\n", name);
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strcmp(line, wanted);
	if (file)
		fclose(file);
	return found;
}

/* What lies in such an overlay is hashed, over a plain folder and over what FUSE serves. */
void test_fuse_overlay(void)
{
	struct scene scene;
	char lower[48];

	if (!has_file_system("overlay"))
		skip("no overlayfs");
	scene = scene_begin("");
	snprintf(lower, sizeof(lower), "%s/lower", scene.root);
	must(!mkdir(lower, 0755) && !chmod(scene.root, 0755), "%s: %s", lower, strerror(errno));
	snprintf(scene.program, sizeof(scene.program), "%s/mine", lower);
	must(!link(scene.plain, scene.program), "%s: %s", scene.program, strerror(errno));
	run_in_overlay(&scene, lower, "mine");
	unlink(scene.program);
	run_in_overlay(&scene, scene.folder, "runs");
	snprintf(scene.program, sizeof(scene.program), "%s/mine", lower);
	unlink(scene.program);
	rmdir(lower);
	scene_end(&scene);
}

/* Whether a look at the sensor says that its second lane is off. */
static bool is_off(struct immune_sensor *sensor)
{
	struct immune_verify_row rows[16];
	int64_t count = immune_sensor_verify(sensor, rows, 16);

	for (int64_t i = 0; i < count && i < 16; i++)
		if (rows[i].what == IMMUNE_VERIFY_HASHER)
			return true;
	return false;
}

#define MUTE_MAX 3

/*
 * Servers that take questions and never answer: who asked is beyond SIGKILL. Each keeps one helper,
 * up to a bound; the first lane goes on, and so do the second's other files until then. When the
 * servers end the lane is on again.
 */
void test_fuse_mute(void)
{
	struct scene scenes[MUTE_MAX + 1];
	struct scene *all = &scenes[MUTE_MAX];
	struct seen seen = { .scene = all, .is_done = both_hashed };
	pid_t runs[MUTE_MAX + 2];
	int status;

	alarm(2 * HANGS_S);
	for (int i = 0; i < MUTE_MAX + 1; i++)
		scenes[i] = scene_begin("");
	alarm(2 * HANGS_S);
	all->sensor = sensor_with(0, 0);
	must(watch_served(all) > 0, "a served file is watched");
	for (int i = 0; i < MUTE_MAX; i++) {
		runs[i] = start_sleeper(scenes[i].program);
		*scenes[i].mute = 1;
		given_up(all, &seen, (uint64_t)i + 1, 0);
		must(is_off(all->sensor) == (i == MUTE_MAX - 1), "%d are left", i + 1);
	}
	waitpid(start(all->plain, "0"), &status, 0);
	runs[MUTE_MAX] = start_sleeper(all->program);
	given_up(all, &seen, MUTE_MAX, 1);
	for (double end = seconds_now() + HANGS_S; !seen.hash_plain && seconds_now() < end;)
		poll_once(all->sensor, 50, see, &seen);
	must(seen.hash_plain && !seen.hash_served, "hash %d, served %d", seen.hash_plain,
	     seen.hash_served);
	for (int i = 0; i < MUTE_MAX; i++) {
		kill(runs[i], SIGKILL);
		kill(scenes[i].server, SIGKILL);
	}
	for (double end = seconds_now() + HANGS_S; is_off(all->sensor) && seconds_now() < end;)
		poll_once(all->sensor, 50, see, &seen);
	runs[MUTE_MAX + 1] = start_sleeper(all->program);
	poll_until(all->sensor, see, &seen, &seen.done);
	must(both_hashed(&seen), "hash %d, served %d", seen.hash_plain, seen.hash_served);
	kill(runs[MUTE_MAX], SIGKILL);
	kill(runs[MUTE_MAX + 1], SIGKILL);
	for (int i = 0; i < MUTE_MAX + 2; i++)
		waitpid(runs[i], NULL, 0);
	immune_sensor_close(all->sensor);
	for (int i = 0; i < MUTE_MAX + 1; i++)
		scene_end(&scenes[i]);
}

/* A server that stands still holds up neither hashes nor policies, nor the end of the sensor. */
void test_fuse_still(void)
{
	struct scene scene = scene_begin("");
	struct seen seen = { .scene = &scene, .is_done = both_done };
	pid_t served;
	double begun;
	int status;

	scene.sensor = sensor_with(0, 0);
	must(watch_served(&scene) > 0, "a served file is watched");
	served = start_sleeper(scene.program);
	waitpid(start(scene.program, "0"), &status, 0);
	/* Both are told of while nobody serves their file any more: one is looked at by what it runs,
	 * the other, which has ended, by its path. */
	*scene.mute = 1;
	waitpid(start(scene.plain, "0"), &status, 0);
	poll_until(scene.sensor, see, &seen, &seen.done);
	must(seen.exec_served && seen.hash_plain, "exec %d, hash %d", seen.exec_served,
	     seen.hash_plain);
	must(watch_served(&scene) > 0, "a served file is watched");
	/* The second lane waits for the server. */
	begun = seconds_now();
	immune_sensor_close(scene.sensor);
	must(seconds_now() - begun < CLOSES_S, "closed after %.1f s", seconds_now() - begun);
	kill(served, SIGKILL);
	waitpid(served, &status, 0);

	scene.sensor = sensor_with(0, 0);
	must(watch_served(&scene) > 0, "a served file is watched");
	immune_sensor_close(scene.sensor);
	scene_end(&scene);
}

struct by_hash {
	struct immune_enforce_header header;
	struct immune_enforcement policy;
	struct immune_enforce_mark mark;
	struct immune_enforce_hash hash;
};

/* Refuses a program by its hash, wherever it lies. */
static struct by_hash refuse_hash(const char *program)
{
	struct by_hash blob = {
		.header = { .magic = IMMUNE_ENFORCE_MAGIC, .version = IMMUNE_ENFORCE_VERSION,
			    .header_length = sizeof(blob.header), .length = sizeof(blob),
			    .mark_count = 1, .hash_count = 1 },
		.policy = { .exec = 1, .blocking = 1, .actions_per_minute = 1000 },
		.mark = { .place = IMMUNE_PLACE_EVERYWHERE, .events = IMMUNE_EVENT_EXEC,
			  .path = "/" },
		.hash = { .entries = 1 },
	};
	struct immune_file_about about;

	must(!immune_file_about(program, IMMUNE_ABOUT_HASH, &about), "%s", program);
	memcpy(blob.hash.sha256, about.sha256, sizeof(about.sha256));
	return blob;
}

static int64_t give(struct immune_enforce *enforce, const struct by_hash *blob)
{
	return immune_enforce_policy(enforce, (const uint8_t *)blob, sizeof(*blob));
}

/* How a program that sleeps for no time ends: 127 where it was refused. */
static int outcome_of(const char *program)
{
	int status;

	waitpid(start(program, "0"), &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Starts a listed program until it is refused: at first the whole host's wait for their hashes. */
static void refused_at_last(const char *program)
{
	double end = seconds_now() + REFUSES_S;

	while (outcome_of(program) != 127)
		must(seconds_now() < end, "%s is listed by its hash and runs", program);
}

/* Once so many were refused; one that was let go was counted before it ran. */
static struct immune_enforce_row counts_of(struct immune_enforce *enforce, uint64_t refused)
{
	double end = seconds_now() + REFUSES_S;
	struct immune_enforce_row row;

	do
		must(immune_enforce_counts(enforce, &row, 1) == 1, "no counts");
	while (row.refused < refused && seconds_now() < end && !sched_yield());
	return row;
}

/* By its hash a served program is not refused but counted; by its place nobody is asked about it. */
void test_fuse_enforced(void)
{
	struct scene scene = scene_begin("");
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct immune_enforce *enforce = enforce_by_fanotify(sensor);
	struct by_hash blob = refuse_hash(scene.plain);
	struct immune_file_about about;
	struct immune_enforce_row before, row;
	char line[512] = "";
	int status;
	pid_t waits;

	/* Others may have namespaces with such places. */
	must(give(enforce, &blob) >= 0, "the policy");
	refused_at_last(scene.plain);
	must(outcome_of(scene.plain) == 127, "a program whose hash is listed ran");
	before = counts_of(enforce, 2);
	must(!outcome_of(scene.program), "a served program was refused");
	row = counts_of(enforce, 2);
	must(row.refused == 2 && row.failed > before.failed, "refused %llu, failed %llu, before %llu",
	     (unsigned long long)row.refused, (unsigned long long)row.failed,
	     (unsigned long long)before.failed);

	blob.mark.place = IMMUNE_PLACE_FILE;
	strcpy(blob.mark.path, scene.program);
	must(give(enforce, &blob) == 1, "a served file is marked");
	immune_error(line, sizeof(line));
	must(strstr(line, scene.program) && strstr(line, "FUSE"), "%s", line);

	blob = refuse_hash(scene.plain);
	stop(scene.server);
	must(immune_file_about(scene.program, 0, &about) == -EOPNOTSUPP, "it was looked at");
	must(give(enforce, &blob) >= 0, "the policy, while the server stands still");
	/* Asked about it the kernel opens the file itself, and the answering thread hangs in there. */
	waits = fork();
	if (!waits) {
		execl(scene.program, scene.program, "0", NULL);
		_exit(127);
	}
	/* Others are let go by the guardian. */
	for (int i = 0; i < 3; i++)
		must(!system("/bin/true"), "another program");
	must(!kill(scene.server, SIGCONT), "the server");
	waitpid(waits, &status, 0);
	must(!status, "the served program ended with %x", status);
	refused_at_last(scene.plain);
	must(outcome_of(scene.plain) == 127, "a program whose hash is listed ran");
	immune_enforce_close(enforce);
	immune_sensor_close(sensor);
	scene_end(&scene);
}

/* A server that is asked for each right: nothing of the loader's asks it while it stands still. */
void test_fuse_asks(void)
{
	struct scene scene = scene_begin(",default_permissions");
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct immune_enforce *enforce = enforce_by_fanotify(sensor);
	struct by_hash blob = refuse_hash(scene.plain);
	char line[512] = "";

	stop(scene.server);
	/* One, or more where the host has others of this kind. */
	must(give(enforce, &blob) > 0, "a file system that asks is marked");
	must(immune_enforce_look(enforce) > 0, "a look at it");
	immune_error(line, sizeof(line));
	must(strstr(line, "FUSE"), "%s", line);
	refused_at_last(scene.plain);
	must(outcome_of(scene.plain) == 127, "a program whose hash is listed ran");
	/* A tree ends where the served file system begins. */
	blob.mark.place = IMMUNE_PLACE_TREE;
	strcpy(blob.mark.path, scene.root);
	must(!give(enforce, &blob), "a tree around it");
	refused_at_last(scene.plain);
	must(outcome_of(scene.plain) == 127, "a program whose hash is listed ran");
	/* Mounted in the server's namespace alone: it is found there, and not asked either. */
	must(!unshare(CLONE_NEWNS) && !umount2(scene.folder, MNT_DETACH), "a namespace without it");
	blob = refuse_hash(scene.plain);
	must(give(enforce, &blob) > 0, "a file system of another namespace is marked");
	immune_error(line, sizeof(line));
	must(strstr(line, "FUSE"), "%s", line);
	immune_enforce_close(enforce);
	immune_sensor_close(sensor);
	scene_end(&scene);
}
