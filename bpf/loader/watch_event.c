// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "watch_event.h"
#include "watch_handle.h"

/* The parts of an event; null where it has none. */
struct parts {
	const struct fanotify_event_info_fid *name, *old_name, *new_name, *file;
};

static struct parts take_apart(const struct fanotify_event_metadata *event)
{
	const void *end = (const void *)event + event->event_len;
	const void *at = event + 1;
	struct parts parts = { 0 };

	/* Bounded by the event: each turn takes one part or ends. */
	while (at + sizeof(struct fanotify_event_info_fid) + sizeof(struct file_handle) <= end) {
		const struct fanotify_event_info_fid *part = at;

		if (part->hdr.len < sizeof(*part) || at + part->hdr.len > end)
			break;
		if (part->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME)
			parts.name = part;
		else if (part->hdr.info_type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME)
			parts.old_name = part;
		else if (part->hdr.info_type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME)
			parts.new_name = part;
		else if (part->hdr.info_type == FAN_EVENT_INFO_TYPE_FID)
			parts.file = part;
		at += part->hdr.len;
	}
	return parts;
}

static const struct file_handle *handle_of(const struct fanotify_event_info_fid *part)
{
	return (const void *)part->handle;
}

static uint64_t hash_of(const struct fanotify_event_info_fid *part)
{
	return part ? watch_handle_hash(&part->fsid, handle_of(part)) : 0;
}

/* A path with one more component; empty when it would be too long. "." is the directory itself. */
static void join(char out[PATH_MAX], const char *directory, const char *name)
{
	bool is_root = !strcmp(directory, "/");
	int length;

	if (!strcmp(name, "."))
		length = snprintf(out, PATH_MAX, "%s", directory);
	else
		length = snprintf(out, PATH_MAX, "%s/%s", is_root ? "" : directory, name);
	if (length >= PATH_MAX)
		out[0] = 0;
}

/* The name of a part, behind its handle. */
static const char *name_of(const struct fanotify_event_info_fid *part)
{
	const struct file_handle *handle = handle_of(part);

	return (const char *)handle->f_handle + handle->handle_bytes;
}

/* Path of a part whose directory the set has; empty when it has not. */
static void known_path(struct watch_set *set, const struct fanotify_event_info_fid *part,
		       char out[PATH_MAX])
{
	char directory[PATH_MAX];

	out[0] = 0;
	if (part && watch_set_find(set, hash_of(part), directory))
		join(out, directory, name_of(part));
}

/* Opens what a handle names, as a path alone, on the file system that `near` lies on. */
static int open_handle(const char *near, const struct fanotify_event_info_fid *part)
{
	union watch_handle handle;
	char directory[PATH_MAX];
	const char *slash = strrchr(near, '/');
	size_t length = slash == near ? 1 : (size_t)(slash - near);
	size_t bytes = sizeof(struct file_handle) + handle_of(part)->handle_bytes;
	int mount, fd;

	if (bytes > sizeof(handle))
		return -1;
	memcpy(&handle, handle_of(part), bytes);
	memcpy(directory, near, length);
	directory[length] = 0;
	mount = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0)
		return -1;
	fd = open_by_handle_at(mount, &handle.file, O_PATH | O_CLOEXEC);
	close(mount);
	return fd;
}

/* Where an open file lies now; empty when it has no name. */
static void path_of(int fd, char out[PATH_MAX])
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, out, PATH_MAX - 1);
	out[length < 0 ? 0 : length] = 0;
}

/* Looks at the file as it is now. A rename to where nobody watches tells its new path so. */
static void look(struct change_about *about, const struct fanotify_event_info_fid *file,
		 const char *near, bool find_path)
{
	struct stat now;
	int fd = open_handle(near, file);

	if (fd < 0)
		return;
	if (!fstat(fd, &now)) {
		about->device = major(now.st_dev) << 20 | minor(now.st_dev);
		about->inode = now.st_nlink ? now.st_ino : 0;
		about->mode = now.st_mode;
		about->links = now.st_nlink;
		about->uid = now.st_uid;
		about->gid = now.st_gid;
	}
	if (find_path)
		path_of(fd, about->path);
	close(fd);
}

/* The watched file that an event is about, by its handle: also under names that nobody watches. */
static struct watch_entry *entry_of(struct watch_set *set, uint64_t handle)
{
	for (uint32_t i = 0; handle && i < set->count; i++)
		if (set->entries[i].has_inode && set->entries[i].handle == handle)
			return &set->entries[i];
	return NULL;
}

static const char *path_of_entry(const struct watch_entry *entry)
{
	return entry->places[1].path ? entry->places[1].path : entry->places[0].path;
}

static bool is_wanted(struct watch_set *set, const char *path)
{
	const struct watch_file file = { .path = path };
	struct watch_names names;

	return path[0] && watch_set_judge(set, &file, &names) == WATCH_WANTED;
}

/* A name of a watched file in a directory that nobody watches. */
static void foreign_path(struct change_about *about, const struct parts *parts, const char *near)
{
	char directory[PATH_MAX];
	int fd = parts->name ? open_handle(near, parts->name) : -1;

	if (fd < 0) {
		snprintf(about->path, sizeof(about->path), "%s", near);
		return;
	}
	path_of(fd, directory);
	join(about->path, directory, name_of(parts->name));
	close(fd);
}

bool watch_event_about(struct watch_set *set, const struct fanotify_event_metadata *event,
		       struct change_about *about)
{
	struct parts parts = take_apart(event);
	struct watch_entry *entry = entry_of(set, hash_of(parts.file));
	const char *near = entry ? path_of_entry(entry) : NULL;
	char near_old[PATH_MAX];

	memset(about, 0, offsetof(struct change_about, named));
	about->named = parts.name || parts.old_name || parts.new_name;
	known_path(set, parts.new_name ? parts.new_name : parts.name, about->path);
	known_path(set, parts.old_name, about->old_path);
	if (event->mask & FAN_MOVED_FROM && !parts.old_name) {
		strcpy(about->old_path, about->path);
		about->path[0] = 0;
	}
	if (!is_wanted(set, about->path))
		about->path[0] = 0;
	if (!about->path[0] && !is_wanted(set, about->old_path) && !near)
		return false;
	if (entry)
		about->links_before = entry->links;
	if (about->path[0])
		near = about->path;
	else if (about->old_path[0])
		near = strcpy(near_old, about->old_path);
	else
		foreign_path(about, &parts, near);
	if (parts.file)
		look(about, parts.file, near, !about->path[0]);
	if (entry && about->links)
		entry->links = about->links;
	return true;
}

uint32_t watch_event_next(const struct change_about *about, uint64_t *mask)
{
	static const struct {
		uint64_t bits;
		uint32_t what;
	} changes[] = {
		{ FAN_CREATE, IMMUNE_CHANGE_WHAT_CREATE },
		{ FAN_RENAME | FAN_MOVED_FROM | FAN_MOVED_TO, IMMUNE_CHANGE_WHAT_RENAME },
		{ FAN_CLOSE_WRITE, IMMUNE_CHANGE_WHAT_WRITE },
		{ FAN_ATTRIB, IMMUNE_CHANGE_WHAT_ATTRIBUTES },
		{ FAN_DELETE, IMMUNE_CHANGE_WHAT_DELETE },
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint32_t what = changes[i].what;

		if (!(*mask & changes[i].bits))
			continue;
		*mask &= ~changes[i].bits;
		if (what == IMMUNE_CHANGE_WHAT_CREATE && S_ISLNK(about->mode))
			return IMMUNE_CHANGE_WHAT_SYMLINK;
		if (what == IMMUNE_CHANGE_WHAT_CREATE && S_ISREG(about->mode) && about->links > 1)
			return IMMUNE_CHANGE_WHAT_LINK;
		/* A number of names that changed comes without a name. */
		if (what == IMMUNE_CHANGE_WHAT_ATTRIBUTES && !about->named &&
		    about->links > about->links_before)
			return IMMUNE_CHANGE_WHAT_LINK;
		return what;
	}
	return 0;
}

static void append(struct change_record *record, struct immune_slot *slot, const char *text)
{
	size_t length = strlen(text);

	if (!length)
		return;
	memcpy((char *)record + record->header.length, text, length);
	slot->offset = record->header.length;
	slot->length = length;
	slot->original_length = length;
	record->header.length += length;
}

void watch_event_fill(struct change_record *record, const struct change_about *about, uint32_t what)
{
	struct immune_record_header *header = &record->header;
	struct timespec now;

	memset(record, 0, offsetof(struct change_record, bytes));
	clock_gettime(CLOCK_BOOTTIME, &now);
	header->time_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	header->header_length = sizeof(*header);
	header->body_length = sizeof(record->body);
	header->kind = IMMUNE_KIND_CHANGE;
	header->source = IMMUNE_SOURCE_CHANGE;
	header->slot_count = IMMUNE_CHANGE_SLOT_COUNT;
	header->version = IMMUNE_RECORD_VERSION;
	header->length = offsetof(struct change_record, bytes);
	record->body.change = what;
	record->body.device = about->device;
	record->body.inode = about->inode;
	record->body.mode = about->mode;
	record->body.links = about->links;
	record->body.owner_uid = about->uid;
	record->body.owner_gid = about->gid;
	append(record, &record->slots[IMMUNE_CHANGE_SLOT_PATH], about->path);
	if (what == IMMUNE_CHANGE_WHAT_RENAME)
		append(record, &record->slots[IMMUNE_CHANGE_SLOT_OLD_PATH], about->old_path);
	if (about->path[0] != '/')
		header->flags |= IMMUNE_FLAG_UNRESOLVED;
}
