// SPDX-License-Identifier: MIT
#include "hash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "file_ask.h"
#include "served.h"

struct place {
	const char *path;
	bool is_link; /* of a process, to the program that it runs */
};

/* A file as a path alone: nobody is asked before it is known who serves it. */
static int open_place(const struct place *place)
{
	int at;

	/* The link leads to what the process has, without a look at any path. */
	if (!place->is_link && served_path(place->path))
		return -EINVAL;
	at = open(place->path, O_PATH | O_CLOEXEC | (place->is_link ? 0 : O_NOFOLLOW));
	return at < 0 ? -errno : at;
}

/* Opens a file for reading; the path alone is closed. */
static int open_again(int at)
{
	char again[32];
	int fd;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
	fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	close(at);
	return fd;
}

/* Programs are told as the kernel knows them, other files as stat(2) does. */
static bool is_program(const struct hash_request *request, int file, int at)
{
	const struct file_identity identity = { request->device, request->inode };

	return file_is(file, at, &identity);
}

static int look(int fd, const struct place *place, const struct hash_request *request, int file,
		struct hash_version *version)
{
	int error = hash_look(fd, request->header.time_ns, version);

	if (error)
		return error;
	if (!request->is_program &&
	    (version->device != request->device || version->inode != request->inode))
		return -ESTALE;
	/* After its times: what opens it for writing later changes them. */
	if (file_tells(file, fd))
		return 0;
	version->lasts = false;
	/* A program that runs cannot be written; what a path leads to may be another one by now. */
	if (!place->is_link)
		version->flags |= IMMUNE_FLAG_UNRESOLVED;
	return 0;
}

/* Opens a plain file that no program serves, who might let us wait for ever. */
static int open_checked(const struct place *place, const struct hash_request *request,
			const struct hash_programs *programs, struct hash_version *version,
			struct hash_apart_file *apart)
{
	int at = open_place(place);
	int error, fd;

	if (at < 0)
		return at;
	if (request->is_program && !is_program(request, programs->file, at)) {
		close(at);
		return -ESTALE;
	}
	if (served_file(programs->served, at)) {
		apart->place = at;
		apart->tells = file_tells(programs->file, at);
		return -EREMOTE;
	}
	fd = open_again(at);
	if (fd < 0)
		return fd;
	error = look(fd, place, request, programs->file, version);
	if (!error)
		return fd;
	close(fd);
	return error;
}

int hash_open(const struct hash_request *request, const struct hash_programs *programs,
	      struct hash_version *version, struct hash_apart_file *apart)
{
	char link[32];
	const struct place own = { link, true }, named = { request->path, false };
	int fd = -ESRCH;

	apart->place = -1;
	if (request->is_program) {
		snprintf(link, sizeof(link), "/proc/%u/exe", request->header.pid);
		fd = open_checked(&own, request, programs, version, apart);
	}
	if (fd >= 0 || fd == -EFBIG || fd == -EINVAL || apart->place >= 0)
		return fd;
	/* Ended, or it runs another program by now. */
	return open_checked(&named, request, programs, version, apart);
}
