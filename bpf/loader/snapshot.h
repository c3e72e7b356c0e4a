/* SPDX-License-Identifier: MIT */
/* Processes that ran before the sensor: taken from the kernel, delivered as records. */
#ifndef IMMUNE_SNAPSHOT_H
#define IMMUNE_SNAPSHOT_H

#include "internal.h"
#include "snapshot_record.h"

/* Hidden processes that are remembered as told; of more the oldest may be told again. */
#define HIDDEN_TOLD_MAX 256

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
	int processes; /* map of those that live; -1 = /proc is that of other processes */
	bool looked; /* the entries are those of a look (hidden.c): only what is hidden is told */
	struct process_key told[HIDDEN_TOLD_MAX];
	uint32_t told_count; /* ever */
};

/* Runs the iterator until a pass adds nothing; 0 or -errno. */
int snapshot_take(struct snapshot *snapshot, struct bpf_program *program);

/* Whether /proc shows any of the entries: it is that of the kernel's processes, and of its clock. */
bool snapshot_agrees(const struct snapshot *snapshot);

/* Adds a process that seems to be hidden, to be told with the next records; 0 or -errno. */
int snapshot_add_hidden(struct snapshot *snapshot, const struct immune_snapshot_entry *entry);

/* Whether a process was told of as hidden. */
bool snapshot_told(const struct snapshot *snapshot, const struct process_key *key);

/* Copies the next records to the buffer; returns bytes, 0 when all were delivered. */
uint32_t snapshot_drain(struct snapshot *snapshot, uint8_t *buffer, uint32_t capacity);

void snapshot_free(struct snapshot *snapshot);

#endif
