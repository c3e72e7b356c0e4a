// SPDX-License-Identifier: MIT
#include "hash_read.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <linux/types.h>

#include "file_tick.h"
#include "immune_record.h"

#define NS_PER_S 1000000000ull

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

int hash_look(int fd, uint64_t record_ns, struct hash_version *version)
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
	version->flags = version->change_time_ns > record_ns + offset_ns + FILE_TICK_NS
				 ? IMMUNE_FLAG_UNRESOLVED
				 : 0;
	version->lasts = !file_ticks(version->change_time_ns);
	return 0;
}

int hash_read(int fd, const struct hash_version *version, const struct hash_reading *reading,
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
		if (!reading->goes_on(reading->state))
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
