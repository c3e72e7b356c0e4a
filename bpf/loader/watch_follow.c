// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "internal.h"
#include "watch_mark.h"

/* Bytes of events read at once. */
#define EVENTS_BYTES (64 * 1024)
/* Reads before the caller may do something else. */
#define READS_MAX 64

struct handle_key {
	int fsid[2];
	uint32_t bytes;
	int32_t type;
	uint8_t handle[MAX_HANDLE_SZ];
};

static uint64_t hash_handle(const void *fsid, const struct file_handle *handle)
{
	struct handle_key key = { .bytes = handle->handle_bytes, .type = handle->handle_type };

	if (handle->handle_bytes > MAX_HANDLE_SZ)
		return 0;
	memcpy(key.fsid, fsid, sizeof(key.fsid));
	memcpy(key.handle, handle->f_handle, handle->handle_bytes);
	return watch_hash(&key, offsetof(struct handle_key, handle) + handle->handle_bytes);
}

uint64_t watch_handle(const char *path)
{
	union {
		struct file_handle handle;
		uint8_t room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} own = { .handle.handle_bytes = MAX_HANDLE_SZ };
	struct statfs about;
	int mount;

	if (statfs(path, &about) || name_to_handle_at(AT_FDCWD, path, &own.handle, &mount, 0))
		return 0;
	return hash_handle(&about.f_fsid, &own.handle);
}

/* The first information record of an event, when it names a directory entry. */
static const struct fanotify_event_info_fid *name_info(const struct fanotify_event_metadata *event)
{
	const struct fanotify_event_info_fid *info = (const void *)(event + 1);

	if (event->event_len < sizeof(*event) + sizeof(*info) + sizeof(struct file_handle))
		return NULL;
	return info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME ? info : NULL;
}

static int follow_tree(const struct watch_groups *groups, struct watch_set *set,
		       const struct fanotify_event_metadata *event, uint64_t handle,
		       const char *name)
{
	char parent[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	uint32_t owner;

	if (!(event->mask & FAN_ONDIR) || !watch_set_tree(set, handle, parent, &owner))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", strcmp(parent, "/") ? parent : "", name);
	if (event->mask & (FAN_DELETE | FAN_MOVED_FROM))
		watch_set_drop(set, path);
	/* Merged events may hold both: what is there now decides. */
	return watch_grow(groups, set, owner, path);
}

static uint32_t follow_event(const struct watch_groups *groups, struct watch_set *set,
			     const struct fanotify_event_metadata *event)
{
	const struct fanotify_event_info_fid *info;
	const struct file_handle *handle;
	const char *name;

	if (event->mask & FAN_Q_OVERFLOW) {
		for (uint32_t i = 0; i < set->count; i++)
			set->entries[i].dirty = true;
		return 1;
	}
	info = name_info(event);
	if (!info)
		return 0;
	handle = (const void *)info->handle;
	name = (const char *)handle->f_handle + handle->handle_bytes;
	if (watch_set_expects(set, name))
		watch_set_touch(set, name);
	return follow_tree(groups, set, event, hash_handle(&info->fsid, handle), name) == -ENOSPC;
}

uint32_t watch_follow(const struct watch_groups *groups, struct watch_set *set)
{
	_Alignas(8) uint8_t buffer[EVENTS_BYTES];
	uint32_t missed = 0;

	for (int round = 0; round < READS_MAX; round++) {
		const struct fanotify_event_metadata *event = (const void *)buffer;
		ssize_t length = read(groups->names, buffer, sizeof(buffer));

		if (length <= 0)
			break;
		for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
			missed += follow_event(groups, set, event);
		for (uint32_t i = 0; i < set->count; i++)
			if (set->entries[i].dirty)
				missed += watch_refresh(groups, set, i) == -ENOSPC;
	}
	return missed;
}
