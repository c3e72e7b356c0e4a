// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch_set.h"

/* FNV-1a, 64 bits (RFC 9923). Equal hashes are followed by a comparison of the text. */
uint64_t watch_hash(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 0x100000001b3ull;
	return hash ? hash : 1;
}

static bool wants(const struct immune_policy_watch *watch, enum immune_watch_want want)
{
	return (watch->wants ? watch->wants : (uint32_t)IMMUNE_WATCH_OPENS) & want;
}

struct watch_set *watch_set_new(const uint8_t *entries, uint32_t count, enum immune_watch_want want)
{
	struct watch_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	pthread_mutex_init(&set->lock, NULL);
	set->entries = calloc(count ? count : 1, sizeof(*set->entries));
	set->directories = calloc(WATCH_DIRECTORIES_MAX, sizeof(*set->directories));
	if (!set->entries || !set->directories)
		goto fail;
	for (uint32_t i = 0; i < count; i++) {
		struct watch_entry *entry = &set->entries[set->count];
		struct immune_policy_watch watch;

		memcpy(&watch, entries, sizeof(watch));
		if (wants(&watch, want)) {
			entry->type = watch.type;
			entry->path = strndup((const char *)entries + sizeof(watch), watch.length);
			if (!entry->path)
				goto fail;
			set->count++;
			watch_set_expect(set, entry->path);
		}
		entries += sizeof(watch) + ((watch.length + 7u) & ~7u);
	}
	return set;
fail:
	watch_set_free(set);
	return NULL;
}

void watch_set_free(struct watch_set *set)
{
	if (!set)
		return;
	for (uint32_t i = 0; set->entries && i < set->count; i++) {
		free(set->entries[i].path);
		free(set->entries[i].places[0].path);
		free(set->entries[i].places[1].path);
	}
	for (uint32_t i = 0; set->directories && i < set->directory_count; i++)
		free(set->directories[i].path);
	free(set->entries);
	free(set->directories);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

static bool has_place(const struct watch_entry *entry, const char *path, uint64_t hash)
{
	for (int k = 0; k < 2; k++)
		if (entry->places[k].hash == hash && !strcmp(entry->places[k].path, path))
			return true;
	return entry->type == IMMUNE_WATCH_FILE && !strcmp(entry->path, path);
}

static bool has_name(const struct watch_names *names, const char *path)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (!strcmp(names->paths[i], path))
			return true;
	return false;
}

static void names_add(struct watch_names *names, const char *path)
{
	if (has_name(names, path))
		return;
	if (names->count == WATCH_NAMES_MAX)
		names->over++;
	else
		snprintf(names->paths[names->count++], IMMUNE_PATH_BYTES_MAX, "%s", path);
}

/* Does a file's own entry ask for it? `names`: by which other paths it is watched. */
static bool judge_file(const struct watch_set *set, const struct watch_file *file,
		       struct watch_names *names)
{
	uint64_t hash = watch_hash(file->path, strlen(file->path));
	bool own = false;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct watch_entry *entry = &set->entries[i];
		bool same = entry->has_inode && entry->inode == file->inode &&
			    entry->device == file->device;

		if (has_place(entry, file->path, hash) ||
		    (same && entry->type != IMMUNE_WATCH_FILE))
			own = true;
		else if (same)
			names_add(names, entry->path);
	}
	return own;
}

static bool wants_name(const struct watch_set *set, const char *name)
{
	uint64_t hash = watch_hash(name, strlen(name));

	for (uint32_t i = 0; i < set->count; i++)
		for (int k = 0; k < 2; k++)
			if (set->entries[i].places[k].path &&
			    set->entries[i].places[k].name_hash == hash)
				return true;
	return false;
}

/* Is every file watched in the directory with this handle, by whatever path? */
static bool is_whole(const struct watch_set *set, uint64_t handle)
{
	for (uint32_t i = 0; set->whole_count && handle && i < set->directory_count; i++)
		if (set->directories[i].whole && set->directories[i].handle == handle)
			return true;
	return false;
}

/* What the directory of a path says; `sure`: that directory is a watched one. */
static enum watch_verdict judge_directory(const struct watch_set *set, const char *path, bool *sure)
{
	const char *slash = strrchr(path, '/');
	enum watch_verdict verdict = WATCH_NEIGHBOUR;
	size_t length;
	uint64_t hash;

	*sure = false;
	if (path[0] != '/')
		return WATCH_WANTED;
	length = slash == path ? 1 : (size_t)(slash - path);
	hash = watch_hash(path, length);
	for (uint32_t i = 0; i < set->directory_count; i++) {
		const struct watch_directory *directory = &set->directories[i];

		if (directory->hash != hash || strncmp(directory->path, path, length) ||
		    directory->path[length])
			continue;
		*sure = true;
		if (directory->whole || is_whole(set, directory->handle))
			return WATCH_WANTED;
		if (!directory->handle)
			verdict = WATCH_UNWANTED;
	}
	if (*sure)
		return verdict;
	return set->whole_count > 0 || wants_name(set, slash + 1) ? WATCH_WANTED : WATCH_UNWANTED;
}

enum watch_verdict watch_set_judge(struct watch_set *set, const struct watch_file *file,
				   struct watch_names *names)
{
	enum watch_verdict verdict = WATCH_WANTED;
	bool sure;

	names->count = names->over = 0;
	pthread_mutex_lock(&set->lock);
	names->own = judge_file(set, file, names);
	if (!names->own) {
		verdict = judge_directory(set, file->path, &sure);
		names->own = verdict == WATCH_WANTED && (sure || !names->count);
	}
	pthread_mutex_unlock(&set->lock);
	return names->count ? WATCH_WANTED : verdict;
}

bool watch_set_whole(struct watch_set *set, uint64_t handle)
{
	bool whole;

	pthread_mutex_lock(&set->lock);
	whole = is_whole(set, handle);
	pthread_mutex_unlock(&set->lock);
	return whole;
}

void watch_set_expect(struct watch_set *set, const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");
		uint32_t bit = watch_hash(path, length) % WATCH_NAME_BITS;

		if (length)
			set->names[bit / 8] |= 1u << (bit % 8);
		path += length + (path[length] == '/');
	}
}

bool watch_set_expects(const struct watch_set *set, const char *name)
{
	uint32_t bit = watch_hash(name, strlen(name)) % WATCH_NAME_BITS;

	return set->names[bit / 8] & (1u << (bit % 8));
}

static bool has_component(const char *path, const char *name)
{
	size_t wanted = strlen(name);

	while (path && *path) {
		size_t length = strcspn(path, "/");

		if (length == wanted && !memcmp(path, name, length))
			return true;
		path += length + (path[length] == '/');
	}
	return false;
}

uint32_t watch_set_touch(struct watch_set *set, const char *name)
{
	uint32_t touched = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		struct watch_entry *entry = &set->entries[i];

		if (has_component(entry->path, name) ||
		    has_component(entry->places[0].path, name) ||
		    has_component(entry->places[1].path, name)) {
			entry->dirty = true;
			touched++;
		}
	}
	return touched;
}

int watch_set_place(struct watch_set *set, struct watch_entry *entry, int which, const char *path)
{
	struct watch_place place = { .path = path ? strdup(path) : NULL };
	struct watch_place old = entry->places[which];

	if (path && !place.path)
		return -ENOMEM;
	if (path) {
		const char *name = strrchr(path, '/') + 1;

		place.hash = watch_hash(path, strlen(path));
		place.name_hash = watch_hash(name, strlen(name));
		watch_set_expect(set, path);
	}
	pthread_mutex_lock(&set->lock);
	entry->places[which] = place;
	pthread_mutex_unlock(&set->lock);
	free(old.path);
	return 0;
}

void watch_set_inode(struct watch_set *set, struct watch_entry *entry, uint32_t device,
		     uint64_t inode)
{
	pthread_mutex_lock(&set->lock);
	entry->device = device;
	entry->inode = inode;
	entry->has_inode = true;
	pthread_mutex_unlock(&set->lock);
}

void watch_set_handle(struct watch_set *set, struct watch_entry *entry, uint64_t handle,
		      uint32_t links)
{
	pthread_mutex_lock(&set->lock);
	entry->handle = handle;
	entry->links = links;
	pthread_mutex_unlock(&set->lock);
}

void watch_set_no_inode(struct watch_set *set, struct watch_entry *entry)
{
	pthread_mutex_lock(&set->lock);
	entry->has_inode = false;
	entry->handle = 0;
	pthread_mutex_unlock(&set->lock);
}
