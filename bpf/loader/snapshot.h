/* SPDX-License-Identifier: MIT */
/* Processes that ran before the sensor: taken from the kernel, delivered as records. */
#ifndef IMMUNE_SNAPSHOT_H
#define IMMUNE_SNAPSHOT_H

#include "internal.h"

struct immune_snapshot_entry;
struct bpf_program;

struct snapshot {
	struct immune_snapshot_entry *entries; /* parents before children */
	uint32_t count;
	uint32_t capacity;
	uint32_t delivered;
	uint32_t most; /* entries that are kept; 0 = IMMUNE_PROCESSES_MAX */
	uint64_t turned_away; /* processes over that */
	uint64_t sequence;
	int processes; /* map of those that live */
};

/* Runs the iterator until a pass adds nothing; 0 or -errno. */
int snapshot_take(struct snapshot *snapshot, struct bpf_program *program);

/* Copies the next records to the buffer; returns bytes, 0 when all were delivered. */
uint32_t snapshot_drain(struct snapshot *snapshot, uint8_t *buffer, uint32_t capacity);

void snapshot_free(struct snapshot *snapshot);

#endif
