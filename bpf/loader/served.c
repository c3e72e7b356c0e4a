// SPDX-License-Identifier: MIT
#include "served.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "mount_line.h"
#include "served_outcome.h"

/* Lines of mountinfo that are read. */
#define MOUNTS_MAX 65536
/* Links that a path may lead over (MAXSYMLINKS of the kernel). */
#define LINKS_MAX 40

/* Where something is mounted that a program serves. Made once, and read without the lock. */
struct points {
	uint32_t references, count, capacity;
	char **at;
};

/* As of when the mounts changed last. Nothing that may wait is done under the lock. */
static struct {
	pthread_mutex_t lock;
	FILE *mounts;
	struct points *points;
} served = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Virtiofs is not: no process of this host serves it. */
static bool is_served(const char *type)
{
	static const char *const types[] = { "fuse", "fuseblk" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t length = strlen(types[i]);

		/* fuse.sshfs, but not fusectl, which is the kernel's own. */
		if (!strncmp(type, types[i], length) && (!type[length] || type[length] == '.'))
			return true;
	}
	return false;
}

static void add(struct points *points, const char *point)
{
	if (points->count == points->capacity) {
		uint32_t capacity = points->capacity ? 2 * points->capacity : 16;
		char **at = realloc(points->at, capacity * sizeof(*at));

		if (!at)
			return;
		points->at = at;
		points->capacity = capacity;
	}
	points->at[points->count] = strdup(point);
	points->count += points->at[points->count] != NULL;
}

/* What is mounted over it hides it. */
static void hide(struct points *points, const char *point)
{
	for (uint32_t i = 0; i < points->count; i++) {
		if (strcmp(points->at[i], point))
			continue;
		free(points->at[i]);
		points->at[i--] = points->at[--points->count];
	}
}

/* Under the lock. */
static void points_drop(struct points *points)
{
	if (!points || --points->references)
		return;
	while (points->count)
		free(points->at[--points->count]);
	free(points->at);
	free(points);
}

static void mounts_read(void)
{
	struct points *points = calloc(1, sizeof(*points));
	size_t capacity = 0;
	char *line = NULL;

	if (!points)
		return;
	points->references = 1;
	rewind(served.mounts);
	for (int i = 0; i < MOUNTS_MAX && getline(&line, &capacity, served.mounts) > 0; i++) {
		struct mount_line mount;

		if (!mount_line_parse(line, &mount))
			continue;
		hide(points, mount.point);
		/* Of the root's nothing would be left: all that runs here waits for it already. */
		if (is_served(mount.type) && strcmp(mount.point, "/"))
			add(points, mount.point);
	}
	free(line);
	points_drop(served.points);
	served.points = points;
}

/* Reads the mounts when the kernel says that they are others (proc_pid_mountinfo(5)). */
static void mounts_follow(void)
{
	struct pollfd changed = { .events = POLLPRI };

	if (!served.mounts) {
		served.mounts = fopen("/proc/self/mountinfo", "re");
		if (served.mounts)
			mounts_read();
		return;
	}
	changed.fd = fileno(served.mounts);
	if (poll(&changed, 1, 0) > 0)
		mounts_read();
}

static bool is_point(const struct points *points, const char *path)
{
	for (uint32_t i = 0; i < points->count; i++)
		if (!strcmp(points->at[i], path))
			return true;
	return false;
}

/* Takes the last component away. */
static void climb(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = 0;
}

/* Puts a link's target in front of what is left of a path; false when that is too long. */
static bool follow(char *done, char *left, const char *target)
{
	char joined[PATH_MAX];
	int length = snprintf(joined, sizeof(joined), "%s/%s", target, left);

	climb(done);
	if (target[0] == '/')
		done[0] = 0;
	strcpy(left, length < (int)sizeof(joined) ? joined : "");
	return length < (int)sizeof(joined);
}

/*
 * Step by step, so that no look at a component comes before that at its directory. `done` has no
 * link and nothing that is served.
 */
static bool leads_to_served(const struct points *points, const char *path)
{
	char done[PATH_MAX] = "", left[PATH_MAX], target[PATH_MAX];
	int links = 0;

	snprintf(left, sizeof(left), "%s", path);
	/* Bounded by the components of PATH_MAX bytes and by the links. */
	while (left[0]) {
		size_t start = strspn(left, "/"), length = strcspn(left + start, "/");
		size_t used = strlen(done);
		ssize_t linked;

		if (length == 2 && !memcmp(left + start, "..", 2)) {
			climb(done);
		} else if (length && !(length == 1 && left[start] == '.')) {
			if (used + 1 + length >= sizeof(done))
				return false;
			snprintf(done + used, sizeof(done) - used, "/%.*s", (int)length,
				 left + start);
		}
		memmove(left, left + start + length, strlen(left + start + length) + 1);
		if (is_point(points, done[0] ? done : "/"))
			return true;
		linked = done[0] ? readlink(done, target, sizeof(target) - 1) : -1;
		if (linked < 0 && errno != EINVAL && done[0])
			return false;
		if (linked < 0)
			continue;
		target[linked] = 0;
		if (++links > LINKS_MAX || !follow(done, left, target))
			return false;
	}
	return false;
}

bool served_path(const char *path)
{
	struct points *points;
	bool found;

	pthread_mutex_lock(&served.lock);
	mounts_follow();
	points = served.points;
	if (points)
		points->references++;
	pthread_mutex_unlock(&served.lock);
	/* A link of a network file system may keep this thread waiting, and no other. */
	found = points && points->count && leads_to_served(points, path);
	pthread_mutex_lock(&served.lock);
	points_drop(points);
	pthread_mutex_unlock(&served.lock);
	return found;
}

bool served_parent(const char *path)
{
	char parent[PATH_MAX];

	if (strlen(path) >= sizeof(parent))
		return false;
	strcpy(parent, path);
	climb(parent);
	return served_path(parent[0] ? parent : "/");
}

bool served_file(int program, int fd)
{
	uint64_t arguments[1] = { (uint64_t)fd };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));

	/* What cannot be told is not asked. */
	return bpf_prog_test_run_opts(program, &run) || run.retval != SERVED_NOT;
}
