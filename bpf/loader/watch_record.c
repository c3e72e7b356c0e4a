// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "watch_record.h"

/* Number of the loss cause watch_overflow (common/wire/loss.ts). */
#define CAUSE_WATCH_OVERFLOW 4

static const char DELETED[] = " (deleted)";

static uint64_t boot_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void header_fill(struct immune_record_header *header, uint16_t kind, uint64_t sequence)
{
	header->header_length = sizeof(*header);
	header->kind = kind;
	header->source = IMMUNE_SOURCE_WATCH;
	header->version = IMMUNE_RECORD_VERSION;
	header->sequence = sequence;
}

/* The kernel appends the suffix to a name that is gone. A file may really be called so: then it
 * still has a link, and what the name means is left open. */
static void strip_deleted(struct watch_record *record, size_t *length, uint32_t links)
{
	size_t suffix = sizeof(DELETED) - 1;

	if (*length <= suffix || strcmp(record->path + *length - suffix, DELETED))
		return;
	if (links) {
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
		return;
	}
	*length -= suffix;
	record->path[*length] = 0;
	record->header.flags |= IMMUNE_FLAG_DELETED;
}

uint32_t watch_record_file(struct watch_record *record, int proc_self_fd, int fd)
{
	struct statx about = { 0 };
	char name[16];
	ssize_t length;
	size_t kept;

	memset(record, 0, offsetof(struct watch_record, path));
	record->body.open_flags = IMMUNE_OPEN_FLAGS_UNKNOWN;
	record->header.time_ns = boot_time_ns();
	/* Cached attributes only: a file system must not be asked while openers wait. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK, &about))
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
	record->body.device = about.stx_dev_major << 20 | about.stx_dev_minor;
	record->body.inode = about.stx_ino;
	snprintf(name, sizeof(name), "%d", fd);
	length = readlinkat(proc_self_fd, name, record->path, IMMUNE_PATH_BYTES_MAX);
	kept = length < 0 ? 0 : length;
	/* Longer than the kernel tells a path to anybody (4,095 bytes). */
	if (length < 0)
		record->header.flags |= IMMUNE_FLAG_TRUNCATED;
	record->path[kept] = 0;
	strip_deleted(record, &kept, about.stx_nlink);
	if (record->path[0] != '/')
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
	record->slots[IMMUNE_OPEN_SLOT_PATH] = (struct immune_slot){
		.offset = offsetof(struct watch_record, path),
		.length = kept,
		.original_length = kept,
	};
	return about.stx_nlink;
}

void watch_record_rename(struct watch_record *record, const char *watched)
{
	struct immune_slot *path = &record->slots[IMMUNE_OPEN_SLOT_PATH];
	struct immune_slot *opened_as = &record->slots[IMMUNE_OPEN_SLOT_OPENED_AS];
	size_t length = strnlen(watched, IMMUNE_PATH_BYTES_MAX);

	/* It may be told under another watched path already. */
	if (!opened_as->offset)
		*opened_as = *path;
	memcpy(record->path + opened_as->length, watched, length);
	path->offset = opened_as->offset + opened_as->length;
	path->length = length;
	path->original_length = length;
}

void watch_record_finish(struct watch_record *record, uint64_t sequence)
{
	const struct immune_slot *path = &record->slots[IMMUNE_OPEN_SLOT_PATH];
	/* The watched path stands last, where there is one. */
	size_t end = path->offset + path->length;
	size_t length = (end + IMMUNE_RECORD_ALIGNMENT - 1) & ~(IMMUNE_RECORD_ALIGNMENT - 1ul);

	header_fill(&record->header, IMMUNE_KIND_OPEN, sequence);
	record->header.length = length;
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_OPEN_SLOT_COUNT;
	memset((char *)record + end, 0, length - end);
}

void watch_loss_fill(struct watch_loss *loss, uint16_t lost_kind, uint64_t count,
		     uint64_t sequence)
{
	uint16_t source = lost_kind == IMMUNE_KIND_OPEN ? (uint16_t)IMMUNE_SOURCE_WATCH
							: (uint16_t)IMMUNE_SOURCE_CHANGE;

	memset(loss, 0, sizeof(*loss));
	header_fill(&loss->header, IMMUNE_KIND_LOSS, sequence);
	loss->header.source = source;
	loss->header.length = sizeof(*loss);
	loss->header.body_length = sizeof(loss->body);
	loss->header.time_ns = boot_time_ns();
	loss->body.cause = CAUSE_WATCH_OVERFLOW;
	loss->body.lost_kind = lost_kind;
	loss->body.lost_source = source;
	loss->body.count = count;
}
