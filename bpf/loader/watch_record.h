/* SPDX-License-Identifier: MIT */
/* One watched open as a record. */
#ifndef IMMUNE_WATCH_RECORD_H
#define IMMUNE_WATCH_RECORD_H

#include <linux/types.h>
#include <stdint.h>
#include <sys/types.h>

#include "immune_record.h"

struct watch_record {
	struct immune_record_header header;
	struct immune_open_body body;
	struct immune_slot slots[IMMUNE_OPEN_SLOT_COUNT];
	/* The path that it was opened by, then the watched one; the record's padding may follow. */
	char path[2 * IMMUNE_PATH_BYTES_MAX + 8];
};

_Static_assert(__builtin_offsetof(struct watch_record, path) ==
		       sizeof(struct immune_record_header) + sizeof(struct immune_open_body) +
			       IMMUNE_OPEN_SLOT_COUNT * sizeof(struct immune_slot),
	       "watch_record has no holes");

struct watch_loss {
	struct immune_record_header header;
	struct immune_loss_body body;
};

/* Path and identity of an event's file, by its descriptor. path ends in NUL. */
/* Returns how many links the file has. */
uint32_t watch_record_file(struct watch_record *record, int proc_self_fd, int fd);
/* Tells it under this watched path, and what it was opened by beside it. */
void watch_record_rename(struct watch_record *record, const char *watched);
void watch_record_finish(struct watch_record *record, uint64_t sequence);
/* lost_kind: open or change; the source follows from it. */
void watch_loss_fill(struct watch_loss *loss, uint16_t lost_kind, uint64_t count,
		     uint64_t sequence);

#endif
