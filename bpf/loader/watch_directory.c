// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "watch_set.h"

static struct watch_directory *find(const struct watch_set *set, uint32_t owner, uint64_t hash,
				    const char *path)
{
	for (uint32_t i = 0; i < set->directory_count; i++) {
		struct watch_directory *directory = &set->directories[i];

		if (directory->hash == hash && directory->owner == owner &&
		    !strcmp(directory->path, path))
			return directory;
	}
	return NULL;
}

static int add(struct watch_set *set, const struct watch_directory *directory, uint64_t hash)
{
	struct watch_directory *slot;

	if (set->directory_count >= WATCH_DIRECTORIES_MAX)
		return -ENOSPC;
	if (directory->tree && set->tree_count >= IMMUNE_WATCHES_MAX)
		return -ENOSPC;
	slot = &set->directories[set->directory_count];
	*slot = *directory;
	slot->hash = hash;
	slot->path = strdup(directory->path);
	if (!slot->path)
		return -ENOMEM;
	set->directory_count++;
	set->tree_count += directory->tree;
	set->whole_count += directory->whole;
	return 0;
}

static void forget(struct watch_set *set, uint32_t index)
{
	struct watch_directory *directory = &set->directories[index];

	set->tree_count -= directory->tree;
	set->whole_count -= directory->whole;
	free(directory->path);
	*directory = set->directories[--set->directory_count];
}

int watch_set_directory(struct watch_set *set, const struct watch_directory *directory)
{
	uint64_t hash = watch_hash(directory->path, strlen(directory->path));
	struct watch_directory *known;
	int error = 0;

	pthread_mutex_lock(&set->lock);
	known = find(set, directory->owner, hash, directory->path);
	if (known) {
		known->stamp = directory->stamp;
		known->handle = directory->handle;
	} else {
		error = add(set, directory, hash);
	}
	pthread_mutex_unlock(&set->lock);
	return error;
}

void watch_set_sweep(struct watch_set *set, uint32_t owner, uint32_t stamp)
{
	pthread_mutex_lock(&set->lock);
	for (uint32_t i = set->directory_count; i-- > 0;)
		if (set->directories[i].owner == owner && set->directories[i].stamp != stamp)
			forget(set, i);
	pthread_mutex_unlock(&set->lock);
}

void watch_set_drop(struct watch_set *set, const char *path)
{
	size_t length = strlen(path);

	pthread_mutex_lock(&set->lock);
	for (uint32_t i = set->directory_count; i-- > 0;) {
		const struct watch_directory *directory = &set->directories[i];

		if (directory->tree && !strncmp(directory->path, path, length) &&
		    (directory->path[length] == '/' || !directory->path[length]))
			forget(set, i);
	}
	pthread_mutex_unlock(&set->lock);
}

bool watch_set_tree(struct watch_set *set, uint64_t handle, char *path, uint32_t *owner)
{
	bool found = false;

	pthread_mutex_lock(&set->lock);
	for (uint32_t i = 0; !found && i < set->directory_count; i++) {
		const struct watch_directory *directory = &set->directories[i];

		if (!directory->tree || directory->handle != handle ||
		    strlen(directory->path) >= PATH_MAX)
			continue;
		strcpy(path, directory->path);
		*owner = directory->owner;
		found = true;
	}
	pthread_mutex_unlock(&set->lock);
	return found;
}

bool watch_set_find(struct watch_set *set, uint64_t handle, char *path)
{
	bool found = false;

	pthread_mutex_lock(&set->lock);
	for (uint32_t i = 0; handle && !found && i < set->directory_count; i++) {
		const struct watch_directory *directory = &set->directories[i];

		found = directory->handle == handle && strlen(directory->path) < PATH_MAX;
		if (found)
			strcpy(path, directory->path);
	}
	pthread_mutex_unlock(&set->lock);
	return found;
}

bool watch_set_has_directory(struct watch_set *set, uint64_t hash, const char *path)
{
	bool found = false;

	pthread_mutex_lock(&set->lock);
	for (uint32_t i = 0; !found && i < set->directory_count; i++)
		found = set->directories[i].hash == hash &&
			!strcmp(set->directories[i].path, path);
	pthread_mutex_unlock(&set->lock);
	return found;
}

bool watch_set_has_inode(struct watch_set *set, uint32_t device, uint64_t inode)
{
	bool found = false;

	pthread_mutex_lock(&set->lock);
	for (uint32_t i = 0; !found && i < set->count; i++)
		found = set->entries[i].has_inode && set->entries[i].inode == inode &&
			set->entries[i].device == device;
	pthread_mutex_unlock(&set->lock);
	return found;
}
