/* SPDX-License-Identifier: MIT */
#ifndef IMMUNE_SNAPSHOT_RECORD_H
#define IMMUNE_SNAPSHOT_RECORD_H

#include "internal.h"

struct immune_snapshot_entry;

struct process_key {
	uint64_t start_time_ns;
	uint32_t pid;
};

/* How /proc shows a process. */
enum shown {
	SHOWN_AS_IT_IS,
	SHOWN_NOT, /* nothing, another one, or what is mounted over its folder */
	SHOWN_UNKNOWN, /* /proc cannot be read */
};

enum shown process_shown(const struct process_key *key);

/* True while the exit hook has not seen the process end; `processes` is the kernel's map. */
bool process_lives(int processes, const struct process_key *key);

/*
 * Makes the record of one process, with image, arguments and working directory from /proc where it
 * still is the same process. One that lives and is not shown there is flagged as hidden; processes:
 * the kernel's map, -1 = /proc is that of other processes. `to` has room for
 * IMMUNE_RECORD_BYTES_MAX; returns bytes.
 */
uint32_t snapshot_record(const struct immune_snapshot_entry *entry, uint64_t sequence,
			 int processes, uint8_t *to);

#endif
