/* SPDX-License-Identifier: MIT */
/* The label of a process as the map has it: found, and inherited. */
#ifndef IMMUNE_LABEL_MAKING_H
#define IMMUNE_LABEL_MAKING_H

#include "count.h"
#include "task.h"

/* A process, then its parents, up to the first one that the map has. */
#define IMMUNE_ANCESTORS_MAX 8

/*
 * The label of a process: its own, or that of the nearest ancestor that has an entry. Children of
 * labelled ones have none of their own only if they were made while no sensor ran, or somebody had
 * taken its hooks off.
 */
static __always_inline struct immune_process *label_of(struct task_struct *task)
{
	/* Bounded by the ancestors that are asked. */
#pragma unroll
	for (int i = 0; i < IMMUNE_ANCESTORS_MAX; i++) {
		__u32 pid = BPF_CORE_READ(task, tgid);
		struct immune_process *process = bpf_map_lookup_elem(&processes, &pid);

		if (process && process->start_time_ns == task_start_time(task, UNTYPED))
			return process;
		task = BPF_CORE_READ(task, real_parent);
	}
	return NULL;
}

/*
 * Gives an entry that is being made the label of a process that the map does not know: by now it may
 * have any parent, so whatever those turned away from the map had is added.
 */
static __always_inline void label_find(struct immune_process *entry, struct task_struct *task)
{
	struct immune_process *nearest = label_of(task);

	entry->roles = roles_turned_away();
	if (nearest) {
		entry->session = nearest->session;
		entry->role = nearest->role;
		entry->roles |= nearest->roles;
	}
	entry->roles_before = entry->roles;
}

#endif
