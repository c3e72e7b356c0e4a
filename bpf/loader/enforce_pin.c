// SPDX-License-Identifier: MIT
/*
 * Enforcement that stays when its process ends: links and the ring pinned on the BPF file system. One
 * set has a folder of its own, named by the time that it was made, below the operator's folder, so
 * that the next process pins its own set before it removes the one before.
 */
#include "enforce.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "enforce_watch.h"
#include "immune_record.h"
#include "sensor.h"

#include "sensor.skel.h"

#define PATH_BYTES (IMMUNE_OPTION_PATH_BYTES + 300)
/* A pin in the folder of its set. */
#define PIN_BYTES (PATH_BYTES + 32)
#define RING_NAME "ring"

static int folder_make(const char *path)
{
	struct statfs system;

	if (mkdir(path, 0700) && errno != EEXIST) {
		int error = -errno;

		immune_fail("Cannot make \"%s\" to pin in: %s, mount a BPF file system there",
			    path, strerror(-error));
		return error;
	}
	if (!statfs(path, &system) && system.f_type == BPF_FS_MAGIC)
		return 0;
	immune_fail("Cannot pin in \"%s\": it is on no BPF file system, use one below /sys/fs/bpf",
		    path);
	return -ENOTSUP;
}

static void set_name(const struct immune_enforce *enforce, char *path)
{
	snprintf(path, PATH_BYTES, "%s/%llu", enforce->options.pin_path,
		 (unsigned long long)enforce->set);
}

/* The id of the program behind a pinned link; 0 when it cannot be told. */
static uint32_t link_program(const char *path)
{
	struct bpf_link_info info = { 0 };
	uint32_t length = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		info.prog_id = 0;
	close(fd);
	return info.prog_id;
}

struct released {
	uint32_t *ids;
	uint32_t capacity;
	uint32_t count;
};

/* Removes one set; the programs go with their links. */
static int set_remove(const char *folder, struct released *released)
{
	DIR *directory = opendir(folder);
	char path[PATH_BYTES + 300];
	struct dirent *entry;
	int error = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!strncmp(entry->d_name, "link_", 5)) {
			if (released->count < released->capacity)
				released->ids[released->count] = link_program(path);
			released->count++;
		}
		if (unlink(path))
			error = -errno;
	}
	closedir(directory);
	if (rmdir(folder))
		error = -errno;
	return error;
}

void enforce_unpin(struct immune_enforce *enforce)
{
	struct released released = { 0 };
	char folder[PATH_BYTES];

	if (!enforce->set)
		return;
	set_name(enforce, folder);
	set_remove(folder, &released);
	enforce->set = 0;
}

static void pin_name(const struct immune_enforce *enforce, uint32_t index, char *path)
{
	char folder[PATH_BYTES];

	set_name(enforce, folder);
	if (index < enforce->link_count)
		snprintf(path, PIN_BYTES, "%s/link_%u", folder, index);
	else
		snprintf(path, PIN_BYTES, "%s/" RING_NAME, folder);
}

static int pinned_fd(const struct immune_enforce *enforce, uint32_t index)
{
	return index < enforce->link_count
		       ? bpf_link__fd(enforce->links[index])
		       : bpf_map__fd(enforce->sensor->programs->maps.lifecycle);
}

/* Id of a link or of a map; 0 when it cannot be told. */
static uint32_t object_id(int fd, bool is_link)
{
	struct bpf_link_info link = { 0 };
	struct bpf_map_info map = { 0 };
	uint32_t length = is_link ? sizeof(link) : sizeof(map);

	if (bpf_obj_get_info_by_fd(fd, is_link ? (void *)&link : (void *)&map, &length))
		return 0;
	return is_link ? link.id : map.id;
}

bool enforce_pin_holds(const struct immune_enforce *enforce, uint32_t index)
{
	bool is_link = index < enforce->link_count, holds;
	char path[PIN_BYTES];
	uint32_t id;
	int fd;

	pin_name(enforce, index, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	id = object_id(fd, is_link);
	holds = id && id == object_id(pinned_fd(enforce, index), is_link);
	close(fd);
	return holds;
}

int enforce_pin_again(const struct immune_enforce *enforce, uint32_t index)
{
	char folder[PATH_BYTES], path[PIN_BYTES];
	int error = folder_make(enforce->options.pin_path);

	set_name(enforce, folder);
	error = error ? error : folder_make(folder);
	if (error)
		return error;
	pin_name(enforce, index, path);
	if (unlink(path) && errno != ENOENT)
		return -errno;
	return bpf_obj_pin(pinned_fd(enforce, index), path) ? -errno : 0;
}

int enforce_pin(struct immune_enforce *enforce)
{
	char folder[PATH_BYTES], path[PIN_BYTES];
	int error = folder_make(enforce->options.pin_path);

	if (error)
		return error;
	enforce->set = clock_boot_ns();
	set_name(enforce, folder);
	error = folder_make(folder);
	/* The ring is the last. */
	for (uint32_t i = 0; i <= enforce->link_count && !error; i++) {
		pin_name(enforce, i, path);
		if (bpf_obj_pin(pinned_fd(enforce, i), path))
			error = -errno;
	}
	if (error) {
		immune_fail("Cannot pin enforcement in \"%s\": %s", folder, strerror(-error));
		/* Half a set would outlive this process. */
		enforce_unpin(enforce);
	}
	return error;
}

static int ring_open(const char *folder)
{
	char path[PATH_BYTES + 32];

	snprintf(path, sizeof(path), "%s/" RING_NAME, folder);
	return bpf_obj_get(path);
}

/* Hands on what a set's ring still holds: verdicts that nobody was there to read. */
static void ring_rescue(struct immune_enforce *enforce, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t length = sizeof(info);
	struct ring ring = { 0 };

	if (bpf_obj_get_info_by_fd(fd, &info, &length) || ring_map(&ring, fd, info.max_entries))
		return;
	sensor_rescue(enforce->sensor, &ring);
	ring_unmap(&ring);
}

static bool is_set(const char *name)
{
	return name[0] && strspn(name, "0123456789") == strlen(name);
}

/* Removes every set but the enforcement's own, which may be null; 0 or -errno. */
static int sets_remove(const char *pin_path, struct immune_enforce *enforce,
		       struct released *released)
{
	DIR *directory = opendir(pin_path);
	char folder[PATH_BYTES], own[PATH_BYTES] = "";
	struct dirent *entry;
	int ring, error = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	if (enforce && enforce->set)
		set_name(enforce, own);
	while ((entry = readdir(directory))) {
		snprintf(folder, sizeof(folder), "%s/%s", pin_path, entry->d_name);
		if (!is_set(entry->d_name) || !strcmp(folder, own))
			continue;
		/* The ring is read when no program writes to it any more. */
		ring = ring_open(folder);
		error = set_remove(folder, released);
		if (enforce && ring >= 0)
			ring_rescue(enforce, ring);
		if (ring >= 0)
			close(ring);
		if (error)
			break;
	}
	closedir(directory);
	if (!own[0])
		rmdir(pin_path);
	return error;
}

int enforce_take_over(struct immune_enforce *enforce)
{
	struct released released = { 0 };
	int error = 0;

	if (enforce->options.pin_path[0])
		error = sets_remove(enforce->options.pin_path, enforce, &released);
	if (error)
		immune_fail("Cannot take over what is pinned in \"%s\": %s",
			    enforce->options.pin_path, strerror(-error));
	return error;
}

IMMUNE_EXPORT int64_t immune_enforce_release(const char *pin_path, uint32_t *ids,
					     uint32_t capacity)
{
	struct released released = { ids, capacity, 0 };
	int error;

	if (!pin_path || pin_path[0] != '/' || strlen(pin_path) >= IMMUNE_OPTION_PATH_BYTES ||
	    (!ids && capacity))
		return immune_misused("release what is pinned");
	error = sets_remove(pin_path, NULL, &released);
	if (!error)
		return released.count;
	immune_fail("Cannot release what is pinned in \"%s\": %s", pin_path, strerror(-error));
	return error;
}

IMMUNE_EXPORT int64_t immune_enforce_pinned(const char *pin_path)
{
	struct dirent *entry;
	int sets = 0, error;
	DIR *directory;

	if (!pin_path || pin_path[0] != '/')
		return immune_misused("look what is pinned");
	directory = opendir(pin_path);
	if (!directory && errno == ENOENT)
		return 0;
	if (!directory) {
		error = -errno;
		immune_fail("Cannot look what is pinned in \"%s\": %s", pin_path, strerror(-error));
		return error;
	}
	while ((entry = readdir(directory)))
		sets += is_set(entry->d_name);
	closedir(directory);
	return sets;
}
