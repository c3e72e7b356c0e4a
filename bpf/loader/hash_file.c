// SPDX-License-Identifier: MIT
#include "hash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "served.h"

struct place {
	const char *path;
	bool is_link; /* of a process, to the program that it runs */
	int served; /* on_served */
};

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

static bool is_same(const struct hash_request *request, const struct hash_version *version)
{
	return version->device == request->device && version->inode == request->inode;
}

/* Opens a plain file that no program serves, who might let us wait for ever: nobody is asked before
 * that is known. What may be served is handed over as a place alone. */
static int open_plain(const struct place *place, struct hash_apart_file *apart)
{
	char again[32];
	int at, fd;

	/* The link leads to what the process has, without a look at any path. */
	if (!place->is_link && served_path(place->path))
		return -EINVAL;
	at = open(place->path, O_PATH | O_CLOEXEC | (place->is_link ? 0 : O_NOFOLLOW));
	if (at < 0)
		return -errno;
	if (served_file(place->served, at)) {
		apart->place = at;
		return -EREMOTE;
	}
	snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
	fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	close(at);
	return fd;
}

static int open_checked(const struct place *place, const struct hash_request *request,
			struct hash_version *version, struct hash_apart_file *apart)
{
	int fd = open_plain(place, apart);
	int error;

	if (apart->place >= 0)
		apart->is_certain = place->is_link && runs(place->path, request->path);
	if (fd < 0)
		return fd;
	error = hash_look(fd, request->header.time_ns, version);
	if (!error && !is_same(request, version) &&
	    !(place->is_link && runs(place->path, request->path)))
		error = -ESTALE;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int hash_open(const struct hash_request *request, int served, struct hash_version *version,
	      struct hash_apart_file *apart)
{
	char link[32];
	const struct place own = { link, true, served }, named = { request->path, false, served };
	int fd = -ESRCH;

	if (request->is_program) {
		snprintf(link, sizeof(link), "/proc/%u/exe", request->header.pid);
		fd = open_checked(&own, request, version, apart);
	}
	if (fd >= 0 || fd == -EFBIG || fd == -EINVAL || apart->place >= 0)
		return fd;
	/* Ended, or it runs another program by now. */
	return open_checked(&named, request, version, apart);
}
