/* SPDX-License-Identifier: MIT */
/* Who did what fanotify tells of: from the maps of the kernel's programs, else from /proc. */
#ifndef IMMUNE_WATCH_WHO_H
#define IMMUNE_WATCH_WHO_H

#include <linux/types.h>
#include <stdint.h>
#include <sys/types.h>

#include "immune_record.h"

struct watch_maps {
	int processes;
	int ended; /* those that ended lately; -1 = they are not wanted */
	int overflowed; /* roles of those that had no room; -1 = they are not wanted */
};

/* Fills the parts of a header that tell of a process or of one of its threads. Returns the roles that
 * it has had (bpf/lib/process.h). */
uint64_t watch_who(struct immune_record_header *header, const struct watch_maps *maps, pid_t tid);

#endif
