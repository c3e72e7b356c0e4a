// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "hash_file.h"
#include "served.h"

#define NS_PER_S 1000000000ull
/* Times of files are those of the last tick: up to 10 ms old. */
#define TICK_NS 10000000ull

static uint64_t time_ns(struct timespec time)
{
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return time_ns(now);
}

static void describe(const struct stat *about, struct hash_version *version)
{
	version->device = major(about->st_dev) << 20 | minor(about->st_dev);
	version->inode = about->st_ino;
	version->change_time_ns = time_ns(about->st_ctim);
	version->size = (uint64_t)about->st_size;
}

/* Opens a plain file that no program serves, who might let us wait for ever: nobody is asked before
 * that is known. */
static int open_plain(const char *path, bool is_link, int served)
{
	char again[32];
	int place, fd;

	/* The link leads to what the process has, without a look at any path. */
	if (!is_link && served_path(path))
		return -EINVAL;
	place = open(path, O_PATH | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW));
	if (place < 0)
		return -errno;
	if (served_file(served, place)) {
		close(place);
		return -EINVAL;
	}
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	close(place);
	return fd;
}

static int check(int fd, const struct hash_request *request, struct hash_version *version)
{
	uint64_t offset_ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);
	struct stat about;

	if (fstat(fd, &about))
		return -errno;
	if (!S_ISREG(about.st_mode))
		return -EINVAL;
	describe(&about, version);
	if (version->size > HASH_FILE_BYTES_MAX)
		return -EFBIG;
	version->flags = version->change_time_ns >
					 request->header.time_ns + offset_ns + TICK_NS
				 ? IMMUNE_FLAG_UNRESOLVED
				 : 0;
	return 0;
}

static bool is_same(const struct hash_request *request, const struct hash_version *version)
{
	return version->device == request->device && version->inode == request->inode;
}

/* Whether a process still runs the program of that path: file systems in layers give stat() another
 * device than the kernel has. */
static bool runs(const char *link, const char *path)
{
	char target[IMMUNE_PATH_BYTES_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0)
		return false;
	target[length] = 0;
	return !strcmp(target, path);
}

struct place {
	const char *path;
	bool is_link; /* of a process, to the program that it runs */
	int served; /* on_served */
};

static int open_checked(const struct place *place, const struct hash_request *request,
			struct hash_version *version)
{
	int fd = open_plain(place->path, place->is_link, place->served);
	int error;

	if (fd < 0)
		return fd;
	error = check(fd, request, version);
	if (!error && !is_same(request, version) &&
	    !(place->is_link && runs(place->path, request->path)))
		error = -ESTALE;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int hash_open(const struct hash_request *request, int served, struct hash_version *version)
{
	char link[32];
	const struct place own = { link, true, served }, named = { request->path, false, served };
	int fd = -ESRCH;

	if (request->is_program) {
		snprintf(link, sizeof(link), "/proc/%u/exe", request->header.pid);
		fd = open_checked(&own, request, version);
	}
	if (fd >= 0 || fd == -EFBIG || fd == -EINVAL)
		return fd;
	/* Ended, or it runs another program by now. */
	return open_checked(&named, request, version);
}

int hash_file(int fd, const struct hash_version *version, const _Atomic bool *stopping,
	      uint8_t digest[SHA256_BYTES])
{
	uint8_t *buffer = malloc(HASH_READ_BYTES);
	struct hash_version after = { 0 };
	struct stat about;
	struct sha256 sha;
	ssize_t length;
	uint64_t done = 0;
	int error = buffer ? 0 : -ENOMEM;

	sha256_begin(&sha);
	/* Bounded by the size that it had: a file that grows meanwhile has changed. */
	while (!error && done <= version->size && (length = read(fd, buffer, HASH_READ_BYTES))) {
		if (atomic_load(stopping))
			error = -ECANCELED;
		else if (length > 0)
			sha256_add(&sha, buffer, (size_t)length);
		else if (errno != EINTR)
			error = -errno;
		done += length > 0 ? (uint64_t)length : 0;
	}
	free(buffer);
	if (error)
		return error;
	if (fstat(fd, &about))
		return -errno;
	describe(&about, &after);
	if (done != version->size || after.change_time_ns != version->change_time_ns)
		return -EAGAIN;
	sha256_end(&sha, digest);
	return 0;
}
