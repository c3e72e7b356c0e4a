/* SPDX-License-Identifier: MIT */
#ifndef IMMUNE_SNAPSHOT_RECORD_H
#define IMMUNE_SNAPSHOT_RECORD_H

#include "internal.h"

struct immune_snapshot_entry;

/*
 * Makes the record of one process, with image, arguments and working directory from /proc where it
 * still is the same process; `processes` is the kernel's map of those that live. `to` has room for
 * IMMUNE_RECORD_BYTES_MAX; returns bytes.
 */
uint32_t snapshot_record(const struct immune_snapshot_entry *entry, uint64_t sequence,
			 int processes, uint8_t *to);

#endif
