// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "internal.h"
#include "watch_handle.h"
#include "watch_mark.h"

/* Bytes of events read at once. */
#define EVENTS_BYTES (64 * 1024)
/* Reads before the caller may do something else. */
#define READS_MAX 64

/* The first information record of an event, when it names a directory entry. */
static const struct fanotify_event_info_fid *name_info(const struct fanotify_event_metadata *event)
{
	const struct fanotify_event_info_fid *info = (const void *)(event + 1);

	if (event->event_len < sizeof(*event) + sizeof(*info) + sizeof(struct file_handle))
		return NULL;
	return info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME ? info : NULL;
}

/* The file that the name led to: the second record. Hash of its handle; 0 = not told. */
static uint64_t target(const struct fanotify_event_metadata *event,
		       const struct fanotify_event_info_fid *name)
{
	const struct fanotify_event_info_fid *info = (const void *)name + name->hdr.len;
	const void *end = (const void *)event + event->event_len;

	if ((const void *)info->handle + sizeof(struct file_handle) > end ||
	    info->hdr.info_type != FAN_EVENT_INFO_TYPE_FID)
		return 0;
	return watch_handle_hash(&info->fsid, (const void *)info->handle);
}

/* What a batch of events asks for. */
struct follow {
	const struct watch_groups *groups;
	struct watch_set *set;
	struct watch_quiet *quiet;
	uint32_t missed;
	bool clear; /* a quiet file may be a watched one now */
};

static void follow_tree(struct follow *follow, const struct fanotify_event_metadata *event,
			uint64_t handle, const char *name)
{
	char parent[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	uint32_t owner;

	if (!(event->mask & FAN_ONDIR) || !watch_set_tree(follow->set, handle, parent, &owner))
		return;
	snprintf(path, sizeof(path), "%s/%s", strcmp(parent, "/") ? parent : "", name);
	if (event->mask & (FAN_DELETE | FAN_MOVED_FROM))
		watch_set_drop(follow->set, path);
	if (event->mask & FAN_MOVED_TO)
		follow->clear = true;
	/* Merged events may hold both: what is there now decides. */
	if (watch_grow(follow->groups, follow->set, owner, path) == -ENOSPC)
		follow->missed++;
}

/*
 * A quiet file that came to a watched name or into a watched directory, or a directory that may
 * hold some: until they are heard again, opens of theirs go unseen.
 */
static void follow_quiet(struct follow *follow, const struct fanotify_event_metadata *event,
			 uint64_t file, bool watched)
{
	bool is_quiet;

	if (!(event->mask & (FAN_CREATE | FAN_MOVED_TO)))
		return;
	if (event->mask & FAN_ONDIR)
		is_quiet = event->mask & FAN_MOVED_TO && watched &&
			   watch_quiet_count(follow->quiet);
	else
		is_quiet = watch_quiet_has(follow->quiet, file);
	follow->clear |= is_quiet;
	follow->missed += is_quiet && watched;
}

static void follow_event(struct follow *follow, const struct fanotify_event_metadata *event)
{
	const struct fanotify_event_info_fid *info;
	const struct file_handle *handle;
	struct watch_set *set = follow->set;
	uint64_t directory;
	const char *name;
	bool watched = false;

	if (event->mask & FAN_Q_OVERFLOW) {
		for (uint32_t i = 0; i < set->count; i++)
			set->entries[i].dirty = true;
		follow->missed++;
		return;
	}
	info = name_info(event);
	if (!info)
		return;
	handle = (const void *)info->handle;
	name = (const char *)handle->f_handle + handle->handle_bytes;
	directory = watch_handle_hash(&info->fsid, handle);
	if (watch_set_expects(set, name))
		watched = watch_set_touch(set, name) > 0;
	watched = watched || watch_set_whole(set, directory);
	follow_quiet(follow, event, target(event, info), watched);
	follow_tree(follow, event, directory, name);
}

uint32_t watch_follow(const struct watch_groups *groups, struct watch_set *set,
		      struct watch_quiet *quiet)
{
	struct follow follow = { .groups = groups, .set = set, .quiet = quiet };
	_Alignas(8) uint8_t buffer[EVENTS_BYTES];

	for (int round = 0; round < READS_MAX; round++) {
		const struct fanotify_event_metadata *event = (const void *)buffer;
		ssize_t length = read(groups->names, buffer, sizeof(buffer));

		if (length <= 0)
			break;
		for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
			follow_event(&follow, event);
		for (uint32_t i = 0; i < set->count; i++) {
			if (!set->entries[i].dirty)
				continue;
			follow.clear = true;
			follow.missed += watch_refresh(groups, set, i) == -ENOSPC;
		}
		/* After the set knows what is watched now: what becomes quiet later is not. */
		if (follow.clear && !watch_quiet_clear(quiet, groups->files)) {
			watch_remark(groups, set);
			follow.missed++;
		}
		follow.clear = false;
	}
	return follow.missed;
}
