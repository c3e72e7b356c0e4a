// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "watch_handle.h"
#include "watch_quiet.h"

/* How a quiet file is found again, wherever it was moved: by its handle, and by a directory of its
 * file system. */
struct quiet_file {
	char *directory;
	union watch_handle handle;
};

/* The directory that was opened last; files come in runs of one directory. */
struct mount {
	const char *path;
	int fd;
};

int watch_quiet_init(struct watch_quiet *quiet)
{
	memset(quiet, 0, sizeof(*quiet));
	pthread_mutex_init(&quiet->lock, NULL);
	quiet->files = calloc(WATCH_QUIET_MAX, sizeof(*quiet->files));
	quiet->hashes = calloc(WATCH_QUIET_MAX, sizeof(*quiet->hashes));
	return quiet->files && quiet->hashes ? 0 : -ENOMEM;
}

void watch_quiet_free(struct watch_quiet *quiet)
{
	for (uint32_t i = 0; quiet->files && i < quiet->count; i++)
		free(quiet->files[i].directory);
	free(quiet->files);
	free(quiet->hashes);
	pthread_mutex_destroy(&quiet->lock);
}

bool watch_quiet_due(struct watch_quiet *quiet, uint32_t device, uint64_t inode)
{
	uint64_t mixed = (inode ^ (uint64_t)device << 32) * 0x9e3779b97f4a7c15ull;
	struct quiet_candidate *slot = &quiet->candidates[(mixed >> 32) % WATCH_QUIET_CANDIDATES];

	if (slot->inode != inode || slot->device != device)
		*slot = (struct quiet_candidate){ .inode = inode, .device = device };
	if (++slot->opens < WATCH_QUIET_AFTER)
		return false;
	slot->opens = 0;
	return true;
}

static bool find(const struct watch_quiet *quiet, uint64_t hash)
{
	for (uint32_t i = 0; i < quiet->count; i++)
		if (quiet->hashes[i] == hash)
			return true;
	return false;
}

/* Notes a file before it is marked, so that no mark is ever unknown here. */
static enum watch_quiet_end note(struct watch_quiet *quiet, int fd, const char *path)
{
	struct quiet_file file;
	size_t length = strrchr(path, '/') - path;
	uint64_t hash = watch_handle_fd(fd, &file.handle);

	if (!hash)
		return WATCH_QUIET_REFUSED;
	/* Known, and heard again because it was written to. */
	if (find(quiet, hash))
		return WATCH_QUIET_PUT;
	if (quiet->count >= WATCH_QUIET_MAX)
		return WATCH_QUIET_FULL;
	file.directory = strndup(path, length ? length : 1);
	if (!file.directory)
		return WATCH_QUIET_REFUSED;
	quiet->hashes[quiet->count] = hash;
	quiet->files[quiet->count++] = file;
	return WATCH_QUIET_PUT;
}

enum watch_quiet_end watch_quiet_begin(struct watch_quiet *quiet, int permission, int fd,
				       const char *path)
{
	enum watch_quiet_end end;

	if (pthread_mutex_trylock(&quiet->lock))
		return WATCH_QUIET_BUSY;
	end = note(quiet, fd, path);
	/* Without SURV_MODIFY: who writes to it is heard from then on. */
	if (end == WATCH_QUIET_PUT &&
	    fanotify_mark(permission, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN_PERM, fd,
			  NULL))
		end = WATCH_QUIET_REFUSED;
	if (end == WATCH_QUIET_PUT)
		return end;
	pthread_mutex_unlock(&quiet->lock);
	atomic_fetch_add(end == WATCH_QUIET_FULL ? &quiet->full : &quiet->refused, 1);
	return end;
}

void watch_quiet_end(struct watch_quiet *quiet, int permission, int fd, bool keep)
{
	/* What is taken back here stays noted: that costs a place, and an error none. */
	if (keep)
		atomic_fetch_add(&quiet->put, 1);
	else
		fanotify_mark(permission, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN_PERM,
			      fd, NULL);
	pthread_mutex_unlock(&quiet->lock);
}

bool watch_quiet_has(struct watch_quiet *quiet, uint64_t handle)
{
	bool found;

	pthread_mutex_lock(&quiet->lock);
	found = handle && find(quiet, handle);
	pthread_mutex_unlock(&quiet->lock);
	return found;
}

uint32_t watch_quiet_count(struct watch_quiet *quiet)
{
	uint32_t count;

	pthread_mutex_lock(&quiet->lock);
	count = quiet->count;
	pthread_mutex_unlock(&quiet->lock);
	return count;
}

/* Goes to a file's directory; false when it is not there, or is one of another file system. */
static bool go(struct mount *mount, const struct quiet_file *file, uint64_t hash)
{
	struct statfs about;

	if (!mount->path || strcmp(mount->path, file->directory)) {
		if (mount->fd >= 0)
			close(mount->fd);
		mount->path = file->directory;
		mount->fd = open(mount->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return mount->fd >= 0 && !fstatfs(mount->fd, &about) &&
	       watch_handle_hash(&about.f_fsid, &file->handle.file) == hash;
}

static bool take_back(struct mount *mount, int permission, struct quiet_file *file, uint64_t hash)
{
	char path[32];
	int fd;

	if (!go(mount, file, hash))
		return false;
	/* A path alone is no open: nothing is asked, and no other program sees it. */
	fd = open_by_handle_at(mount->fd, &file->handle.file, O_PATH | O_CLOEXEC);
	/* An inode that is gone has taken its mark along. */
	if (fd < 0)
		return errno == ESTALE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fanotify_mark(permission, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN_PERM, AT_FDCWD,
		      path);
	close(fd);
	return true;
}

bool watch_quiet_clear(struct watch_quiet *quiet, int permission)
{
	struct mount mount = { NULL, -1 };
	bool reached = true;

	pthread_mutex_lock(&quiet->lock);
	for (uint32_t i = 0; i < quiet->count; i++)
		reached &= take_back(&mount, permission, &quiet->files[i], quiet->hashes[i]);
	for (uint32_t i = 0; i < quiet->count; i++)
		free(quiet->files[i].directory);
	quiet->count = 0;
	pthread_mutex_unlock(&quiet->lock);
	if (mount.fd >= 0)
		close(mount.fd);
	return reached;
}
