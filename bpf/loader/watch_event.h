/* SPDX-License-Identifier: MIT */
/* One event of the changes group, taken apart and made into records. */
#ifndef IMMUNE_WATCH_EVENT_H
#define IMMUNE_WATCH_EVENT_H

#include <limits.h>
#include <stddef.h>
#include <sys/fanotify.h>

#include "immune_record.h"
#include "watch_set.h"

struct change_record {
	struct immune_record_header header;
	struct immune_change_body body;
	struct immune_slot slots[IMMUNE_CHANGE_SLOT_COUNT];
	char bytes[2 * IMMUNE_PATH_BYTES_MAX + 8]; /* the record's padding may follow them */
};

_Static_assert(__builtin_offsetof(struct change_record, bytes) ==
		       sizeof(struct immune_record_header) + sizeof(struct immune_change_body) +
			       IMMUNE_CHANGE_SLOT_COUNT * sizeof(struct immune_slot),
	       "change_record has no holes");

/* What an event is about, as far as the set watches it. */
struct change_about {
	char path[PATH_MAX]; /* empty = nothing that is watched */
	char old_path[PATH_MAX]; /* of a rename; empty = not known */
	uint32_t device; /* of the file, looked at now; inode 0 = it is gone */
	uint64_t inode;
	uint32_t mode, links, uid, gid;
	uint32_t links_before; /* of a watched file, before this event; 0 = not known */
	bool named; /* the event names a directory entry */
};

/* Finds out what an event is about; false when the set does not watch it. */
bool watch_event_about(struct watch_set *set, const struct fanotify_event_metadata *event,
		       struct change_about *about);

/* The next change that an event tells, of the bits of mask that are left; 0 = none. */
uint32_t watch_event_next(const struct change_about *about, uint64_t *mask);

/* Fills all of a record but who did it, its source's sequence and the header's length. */
void watch_event_fill(struct change_record *record, const struct change_about *about,
		      uint32_t what);

#endif
