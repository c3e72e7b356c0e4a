// SPDX-License-Identifier: MIT
/* Watched paths that are devices: the kernel's program is told their numbers. */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "internal.h"
#include "served.h"

/* Where nodes come and go. */
#define DEVICE_FOLDER "/dev"
#define NOTIFY_MASK (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)

/* Types of bpf_cgroup_dev_ctx (include/uapi/linux/bpf.h). */
enum device_type {
	DEVICE_BLOCK = 1,
	DEVICE_CHARACTER = 2,
};

/* Entries of the map: while a policy is replaced, those of both. */
#define DEVICES_ROOM (2 * IMMUNE_DEVICES_MAX)

/* One look for all devices of a policy. */
struct look {
	struct devices *devices;
	dev_t file_system; /* of /dev */
	uint64_t keys[IMMUNE_DEVICES_MAX]; /* found */
	uint32_t count;
	bool refused; /* the watch that is looked at cannot be set in full */
	bool full; /* the map: no further folder is looked through */
	bool again; /* only at the watches below /dev */
	bool missed[IMMUNE_WATCHES_MAX]; /* of these, those that were refused */
};

static bool is_below(const char *path)
{
	size_t length = strlen(DEVICE_FOLDER);

	return !strncmp(path, DEVICE_FOLDER, length) && path[length] == '/' && path[length + 1];
}

static bool is_found(const struct look *look, uint64_t key)
{
	for (uint32_t i = 0; i < look->count; i++)
		if (look->keys[i] == key)
			return true;
	return false;
}

static void put(struct look *look, const char *path, const struct stat *about)
{
	struct immune_device device = { .length = (uint32_t)strlen(path) };
	enum device_type type = S_ISCHR(about->st_mode) ? DEVICE_CHARACTER : DEVICE_BLOCK;
	__u64 key = IMMUNE_DEVICE_KEY(type, major(about->st_rdev), minor(about->st_rdev));

	if (is_found(look, key))
		return;
	if (device.length > IMMUNE_DEVICE_PATH_BYTES) {
		look->refused = true;
		return;
	}
	memcpy(device.path, path, device.length);
	if (look->count == IMMUNE_DEVICES_MAX ||
	    bpf_map_update_elem(look->devices->map, &key, &device, BPF_ANY))
		look->refused = look->full = true;
	else
		look->keys[look->count++] = key;
}

/* Asks to be told of what comes into a folder; one that is not there yet comes into the one above. */
static void ask(struct look *look, const char *folder)
{
	if (inotify_add_watch(look->devices->notify, folder, NOTIFY_MASK) < 0 && errno != ENOENT &&
	    errno != ENOTDIR)
		look->refused = true;
}

/* Asks so for each folder above a path. */
static void ask_above(struct look *look, char *path)
{
	for (char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		*end = 0;
		ask(look, path);
		*end = '/';
	}
}

static bool is_device(const struct stat *about)
{
	return S_ISCHR(about->st_mode) || S_ISBLK(about->st_mode);
}

static void put_folder(struct look *look, const char *path, int depth)
{
	struct stat about;
	struct dirent *entry;
	DIR *folder;

	if (lstat(path, &about) || about.st_dev != look->file_system)
		return;
	/* First asked for what comes, then looked at what is there. */
	ask(look, path);
	look->refused |= look->full;
	folder = opendir(path);
	/* Bounded by the folder; what the map has no room for is not asked about again. */
	while (folder && !look->full && (entry = readdir(folder))) {
		char name[IMMUNE_DEVICE_PATH_BYTES + 2 + sizeof(entry->d_name)];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &about))
			continue;
		if (is_device(&about))
			put(look, name, &about);
		else if (S_ISDIR(about.st_mode) && depth)
			put_folder(look, name, depth - 1);
	}
	if (folder)
		closedir(folder);
}

static void put_file(struct look *look, const char *path)
{
	struct stat about;

	if (!stat(path, &about) && is_device(&about))
		put(look, path, &about);
}

/* Whether a watch may be of devices; `name` gets its path. */
static bool may_be_device(const struct immune_policy_watch *watch, const uint8_t *path, char *name)
{
	if (watch->length > IMMUNE_DEVICE_PATH_BYTES ||
	    (watch->wants && !(watch->wants & IMMUNE_WATCH_OPENS)))
		return false;
	memcpy(name, path, watch->length);
	name[watch->length] = 0;
	return (watch->type == IMMUNE_WATCH_FILE || is_below(name) ||
		!strcmp(name, DEVICE_FOLDER)) && !served_path(name);
}

static size_t entry_bytes(const uint8_t *entry)
{
	struct immune_policy_watch watch;

	memcpy(&watch, entry, sizeof(watch));
	return sizeof(watch) + ((watch.length + 7u) & ~7u);
}

static void complain(const char *name)
{
	immune_fail("Cannot watch all devices of \"%s\": over %d, a path of over %d bytes, no room for "
		    "another folder (fs.inotify.max_user_watches), or \"" DEVICE_FOLDER
		    "\" itself; name fewer",
		    name, IMMUNE_DEVICES_MAX, IMMUNE_DEVICE_PATH_BYTES);
}

/* Looks for all of them; how many watches could not be set in full. */
static int find(struct look *look, const uint8_t *entry, uint32_t count)
{
	struct stat about;
	uint32_t below = 0;
	int refused = 0;

	look->file_system = stat(DEVICE_FOLDER, &about) ? 0 : about.st_dev;
	for (uint32_t i = 0; i < count; i++, entry += entry_bytes(entry)) {
		char name[IMMUNE_DEVICE_PATH_BYTES + 1];
		struct immune_policy_watch watch;

		memcpy(&watch, entry, sizeof(watch));
		if (!may_be_device(&watch, entry + sizeof(watch), name))
			continue;
		look->refused = false;
		/* Folders come later, too. */
		if (is_below(name))
			ask_above(look, name);
		if (watch.type == IMMUNE_WATCH_FILE)
			put_file(look, name);
		else if (is_below(name))
			put_folder(look, name,
				   watch.type == IMMUNE_WATCH_TREE ? DEVICE_DEPTH_MAX : 0);
		else
			look->refused = true; /* /dev itself: everybody opens what is there */
		if (look->refused)
			complain(name);
		/* In the order of keep(); a program may serve one by now that is kept. */
		if (is_below(name))
			look->missed[look->again ? i : below++] = look->refused;
		refused += look->refused;
	}
	return refused;
}

/* Whether the map has a device for a path below /dev. */
static bool has_below(const struct look *look, uint64_t key)
{
	struct immune_device device;
	char path[IMMUNE_DEVICE_PATH_BYTES + 1] = "";

	if (!bpf_map_lookup_elem(look->devices->map, &key, &device))
		memcpy(path, device.path, device.length);
	return is_below(path);
}

/* Takes out what a look did not find; of `only_below` what it looked for. */
static void forget_others(const struct look *look, bool only_below)
{
	uint64_t keys[DEVICES_ROOM];
	uint32_t count = 0;
	bool more = !bpf_map_get_next_key(look->devices->map, NULL, &keys[0]);

	/* Bounded by the map. */
	while (more && ++count < DEVICES_ROOM)
		more = !bpf_map_get_next_key(look->devices->map, &keys[count - 1], &keys[count]);
	for (uint32_t i = 0; i < count; i++)
		if (!is_found(look, keys[i]) && (!only_below || has_below(look, keys[i])))
			bpf_map_delete_elem(look->devices->map, &keys[i]);
}

/* Keeps the watches below /dev, where more may come. */
static int keep(struct devices *devices, const uint8_t *entries, uint32_t count)
{
	const uint8_t *entry = entries;
	uint8_t *kept, *end;

	for (uint32_t i = 0; i < count; i++)
		entry += entry_bytes(entry);
	kept = end = malloc((size_t)(entry - entries) + 1);
	if (!kept)
		return -ENOMEM;
	free(devices->entries);
	devices->entries = kept;
	devices->count = 0;
	entry = entries;
	for (uint32_t i = 0; i < count; i++, entry += entry_bytes(entry)) {
		char name[IMMUNE_DEVICE_PATH_BYTES + 1];
		struct immune_policy_watch watch;

		memcpy(&watch, entry, sizeof(watch));
		if (!may_be_device(&watch, entry + sizeof(watch), name) || !is_below(name))
			continue;
		memcpy(end, entry, entry_bytes(entry));
		end += entry_bytes(entry);
		devices->count++;
	}
	return 0;
}

int devices_apply(struct devices *devices, const uint8_t *entries, uint32_t count)
{
	struct look look = { .devices = devices };
	int refused = keep(devices, entries, count);

	if (refused)
		return refused;
	refused = find(&look, entries, count);
	forget_others(&look, false);
	/* These are told with the policy. */
	memcpy(devices->missed, look.missed, sizeof(devices->missed));
	devices->missed_later = 0;
	return refused;
}

void devices_note(struct devices *devices)
{
	uint8_t events[4096];

	/* Bounded by what came: which ones they were, the folders say. */
	while (read(devices->notify, events, sizeof(events)) > 0)
		devices->stale = true;
}

/* Takes note of watches that are missed by now; how many were not before. */
static uint32_t note_missed(struct devices *devices, const struct look *look)
{
	const uint8_t *entry = devices->entries;
	uint32_t fresh = 0;

	for (uint32_t i = 0; i < devices->count; i++, entry += entry_bytes(entry)) {
		struct immune_policy_watch watch;

		if (!look->missed[i] || devices->missed[i])
			continue;
		memcpy(&watch, entry, sizeof(watch));
		memcpy(devices->missed_last, entry + sizeof(watch), watch.length);
		devices->missed_last[watch.length] = 0;
		devices->missed[i] = true;
		fresh++;
	}
	devices->missed_later += fresh;
	return fresh;
}

uint32_t devices_again(struct devices *devices)
{
	struct look look = { .devices = devices, .again = true };

	devices->stale = false;
	find(&look, devices->entries, devices->count);
	if (look.full) {
		/* Numbers of nodes that are gone stay while there is room: others may lead there. */
		forget_others(&look, true);
		look = (struct look){ .devices = devices, .again = true };
		find(&look, devices->entries, devices->count);
	}
	return note_missed(devices, &look);
}

void devices_tell(const struct devices *devices)
{
	complain(devices->missed_last);
}

bool devices_follow(const char *folder)
{
	struct stat about, devices;

	return (is_below(folder) || !strcmp(folder, DEVICE_FOLDER)) && !stat(folder, &about) &&
	       !stat(DEVICE_FOLDER, &devices) && about.st_dev == devices.st_dev;
}

bool devices_any(const struct devices *devices)
{
	uint64_t key;

	return !bpf_map_get_next_key(devices->map, NULL, &key);
}

void devices_free(struct devices *devices)
{
	if (devices->notify >= 0)
		close(devices->notify);
	free(devices->entries);
}
