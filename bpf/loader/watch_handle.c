// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>
#include <sys/statfs.h>

#include "watch_handle.h"
#include "watch_set.h"

struct key {
	int fsid[2];
	uint32_t bytes;
	int32_t type;
	uint8_t handle[MAX_HANDLE_SZ];
};

uint64_t watch_handle_hash(const void *fsid, const struct file_handle *handle)
{
	struct key key = { .bytes = handle->handle_bytes, .type = handle->handle_type };

	if (handle->handle_bytes > MAX_HANDLE_SZ)
		return 0;
	memcpy(key.fsid, fsid, sizeof(key.fsid));
	memcpy(key.handle, handle->f_handle, handle->handle_bytes);
	return watch_hash(&key, offsetof(struct key, handle) + handle->handle_bytes);
}

uint64_t watch_handle_path(const char *path)
{
	union watch_handle own = { .file.handle_bytes = MAX_HANDLE_SZ };
	struct statfs about;
	int mount;

	if (statfs(path, &about) ||
	    name_to_handle_at(AT_FDCWD, path, &own.file, &mount, AT_SYMLINK_FOLLOW))
		return 0;
	return watch_handle_hash(&about.f_fsid, &own.file);
}

uint64_t watch_handle_fd(int fd, union watch_handle *handle)
{
	struct statfs about;
	int mount;

	handle->file.handle_bytes = MAX_HANDLE_SZ;
	if (fstatfs(fd, &about) || name_to_handle_at(fd, "", &handle->file, &mount, AT_EMPTY_PATH))
		return 0;
	return watch_handle_hash(&about.f_fsid, &handle->file);
}
