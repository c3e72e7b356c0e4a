// SPDX-License-Identifier: MIT
/* What user space tells the kernel of a file that a policy names. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "immune_enforce.h"
#include "internal.h"
#include "file_hash.h"
#include "file_identity.h"
#include "served.h"

/* Largest file that is hashed. */
#define HASHED_BYTES_MAX (1ull << 30)

static int about_fill(int fd, struct immune_file_about *about)
{
	struct file_identity kernel;
	struct statx found;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found))
		return -errno;
	if (!S_ISREG(found.stx_mode))
		return -EINVAL;
	about->device = found.stx_dev_major << 20 | found.stx_dev_minor;
	about->inode = found.stx_ino;
	about->changed_s = (uint64_t)found.stx_ctime.tv_sec;
	about->changed_ns = found.stx_ctime.tv_nsec;
	about->bytes = found.stx_size;
	about->links = found.stx_nlink;
	if (file_identity(fd, &kernel)) {
		about->kernel_device = kernel.device;
		about->kernel_inode = kernel.inode;
	}
	return 0;
}

static int about_hash(int fd, struct immune_file_about *about)
{
	struct immune_file_about before = *about;
	int error = file_hash(fd, HASHED_BYTES_MAX, about->sha256);

	if (!error)
		error = about_fill(fd, about);
	/* It changed meanwhile: the hash is of no state that it was in. */
	if (!error && (before.changed_s != about->changed_s ||
		       before.changed_ns != about->changed_ns))
		error = -EAGAIN;
	return error;
}

IMMUNE_EXPORT int64_t immune_file_about(const char *path, uint32_t flags,
					struct immune_file_about *about)
{
	bool hash = flags & IMMUNE_ABOUT_HASH;
	int error, fd;

	if (!path || path[0] != '/' || !about)
		return immune_misused("look at a file");
	memset(about, 0, sizeof(*about));
	if (served_path(path)) {
		immune_fail("Cannot look at \"%s\": a program serves its file system (FUSE), and "
			    "may never answer", path);
		return -EOPNOTSUPP;
	}
	/* O_NONBLOCK: a FIFO of that name is not waited for. */
	fd = open(path, (hash ? O_RDONLY : O_PATH) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
				(flags & IMMUNE_ABOUT_NO_FOLLOW ? O_NOFOLLOW : 0));
	if (fd < 0) {
		error = -errno;
		immune_fail("Cannot look at \"%s\": %s", path, strerror(-error));
		return error;
	}
	error = about_fill(fd, about);
	if (!error && hash)
		error = about_hash(fd, about);
	close(fd);
	if (error)
		immune_fail("Cannot look at \"%s\": %s", path, strerror(-error));
	return error;
}
