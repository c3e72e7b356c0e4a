// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup_names.h"
#include "container.h"
#include "immune_record.h"

/* Cgroups that are known to be known; of two that share a place the one met last stays. */
#define MET_MAX 4096
/* FILEID_KERNFS of the kernel (include/linux/exportfs.h): a handle that is the id alone. */
#define KERNFS_HANDLE 0xfe

struct cgroup_names {
	int root;
	uint64_t sequence;
	uint64_t met[MET_MAX];
};

struct cgroup_record {
	struct immune_record_header header;
	struct immune_slot slots[IMMUNE_CGROUP_SLOT_COUNT];
	char bytes[PATH_MAX + CONTAINER_BYTES_MAX + 8]; /* padding may follow */
};

struct cgroup_names *cgroup_names_new(int root)
{
	struct cgroup_names *names = calloc(1, sizeof(*names));

	if (names)
		names->root = root;
	return names;
}

void cgroup_names_free(struct cgroup_names *names)
{
	free(names);
}

static ssize_t link_of(int fd, char out[PATH_MAX])
{
	char path[32];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, out, PATH_MAX - 1);
	out[length < 0 ? 0 : length] = 0;
	return length;
}

/* Path of a cgroup below the root; 0, or -1 where it is gone. */
static int path_of(const struct cgroup_names *names, uint64_t id, char out[PATH_MAX])
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} name = { .handle = { .handle_bytes = sizeof(id), .handle_type = KERNFS_HANDLE } };
	char root[PATH_MAX], path[PATH_MAX];
	ssize_t start = link_of(names->root, root);
	int fd;

	memcpy(name.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(names->root, &name.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (start < 0 || link_of(fd, path) < start || strncmp(path, root, (size_t)start))
		path[start = 0] = 0;
	close(fd);
	strcpy(out, path[start] ? path + start : "/");
	return 0;
}

static void append(struct cgroup_record *record, uint32_t slot, const char *text)
{
	uint32_t length = (uint32_t)strlen(text);

	memcpy((char *)record + record->header.length, text, length);
	record->slots[slot].offset = (uint16_t)record->header.length;
	record->slots[slot].length = (uint16_t)length;
	record->slots[slot].original_length = length;
	record->header.length += length;
}

static void fill(struct cgroup_record *record, uint64_t id, const char *path)
{
	char container[CONTAINER_BYTES_MAX + 1];
	struct timespec now;

	memset(record, 0, sizeof(*record));
	clock_gettime(CLOCK_BOOTTIME, &now);
	record->header.time_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
	record->header.header_length = sizeof(record->header);
	record->header.kind = IMMUNE_KIND_CGROUP;
	record->header.source = (uint16_t)IMMUNE_SOURCE_CGROUP;
	record->header.slot_count = IMMUNE_CGROUP_SLOT_COUNT;
	record->header.version = IMMUNE_RECORD_VERSION;
	record->header.cgroup_id = id;
	record->header.length = offsetof(struct cgroup_record, bytes);
	container_of_path(path, container);
	append(record, IMMUNE_CGROUP_SLOT_PATH, path);
	append(record, IMMUNE_CGROUP_SLOT_CONTAINER, container);
	record->header.length = (record->header.length + IMMUNE_RECORD_ALIGNMENT - 1) &
				~(IMMUNE_RECORD_ALIGNMENT - 1u);
}

uint32_t cgroup_names_insert(struct cgroup_names *names, uint8_t *buffer, uint32_t from,
			     uint32_t used)
{
	const uint32_t limit = used + CGROUP_ROOM_BYTES;
	struct cgroup_record record;
	char path[PATH_MAX];

	/* Bounded by the records: each turn goes on by one, behind what was put in front. */
	for (uint32_t at = from; names && at < used;) {
		const struct immune_record_header *header = (const void *)(buffer + at);
		uint64_t id = header->cgroup_id;
		uint64_t *place = &names->met[(id * 0x9e3779b97f4a7c15ull >> 32) % MET_MAX];

		at += header->length;
		if (!id || *place == id || path_of(names, id, path))
			continue;
		fill(&record, id, path);
		if (record.header.length > limit - used)
			break;
		*place = id;
		record.header.sequence = ++names->sequence;
		memmove(buffer + from + record.header.length, buffer + from, used - from);
		memcpy(buffer + from, &record, record.header.length);
		from += record.header.length;
		at += record.header.length;
		used += record.header.length;
	}
	return used;
}
