// SPDX-License-Identifier: MIT
/* What user space tells the kernel of a file that a policy names. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
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

/* A file handle and room for the longest one. */
union handle_room {
	struct file_handle file;
	char bytes[sizeof(struct file_handle) + IMMUNE_HANDLE_BYTES_MAX];
};

static void about_handle(int fd, struct immune_file_about *about)
{
	union handle_room handle = { .file.handle_bytes = IMMUNE_HANDLE_BYTES_MAX };
	int mount;

	if (name_to_handle_at(fd, "", &handle.file, &mount, AT_EMPTY_PATH) ||
	    handle.file.handle_bytes > IMMUNE_HANDLE_BYTES_MAX)
		return;
	about->handle_type = handle.file.handle_type;
	about->handle_bytes = handle.file.handle_bytes;
	memcpy(about->handle, handle.file.f_handle, handle.file.handle_bytes);
}

/* A directory above a path, on the file system of a file that was there; -1 when none is. */
static int directory_near(const char *path, uint32_t device)
{
	char near[PATH_MAX];
	struct statx found;
	char *slash;

	if (snprintf(near, sizeof(near), "%s", path) >= (int)sizeof(near))
		return -1;
	while ((slash = strrchr(near, '/'))) {
		const char *directory = slash == near ? "/" : near;
		int fd;

		*slash = 0;
		fd = served_path(directory)
			     ? -1
			     : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !statx(fd, "", AT_EMPTY_PATH, STATX_INO, &found) &&
		    (found.stx_dev_major << 20 | found.stx_dev_minor) == device)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
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
	if (!error)
		about_handle(fd, about);
	close(fd);
	if (error)
		immune_fail("Cannot look at \"%s\": %s", path, strerror(-error));
	return error;
}

IMMUNE_EXPORT int64_t immune_file_again(const char *path, const struct immune_file_about *about)
{
	union handle_room handle = { 0 };
	struct immune_file_about now;
	int near, fd, error;

	if (!path || path[0] != '/' || !about || about->handle_bytes > IMMUNE_HANDLE_BYTES_MAX)
		return immune_misused("find a file again");
	if (!about->handle_bytes)
		return -EOPNOTSUPP;
	near = directory_near(path, about->device);
	if (near < 0)
		return -EOPNOTSUPP;
	handle.file.handle_type = about->handle_type;
	handle.file.handle_bytes = about->handle_bytes;
	memcpy(handle.file.f_handle, about->handle, about->handle_bytes);
	fd = open_by_handle_at(near, &handle.file, O_PATH | O_CLOEXEC);
	error = fd < 0 ? errno : 0;
	close(near);
	if (fd < 0)
		return error == ESTALE ? -ESTALE : -EOPNOTSUPP;
	memset(&now, 0, sizeof(now));
	/* Without a name it is held open by somebody, and gone after that. */
	if (!about_fill(fd, &now) && now.links && now.device == about->device &&
	    now.inode == about->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

IMMUNE_EXPORT int64_t immune_file_close(int64_t descriptor)
{
	return close((int)descriptor) ? -errno : 0;
}
