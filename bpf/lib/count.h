/* SPDX-License-Identifier: MIT */
/* Counters. Atomic although per CPU: a program may preempt another one in the middle of an add. */
#ifndef IMMUNE_COUNT_H
#define IMMUNE_COUNT_H

#include "atomic.h"
#include "maps.h"

/* Of include/uapi/asm-generic/errno-base.h. */
#define IMMUNE_EEXIST 17

/*
 * Puts an entry into a map; 0 or a negative errno. Before Linux 6.4 what does that gives an int, whose
 * negative numbers are large ones to who looks at all 64 bits.
 */
static __always_inline int map_put(void *map, const void *key, const void *value, __u64 flags)
{
	return (int)bpf_map_update_elem(map, key, value, flags);
}

#define count_one(tally, outcome)                                \
	do {                                                     \
		if (tally)                                       \
			__sync_fetch_and_add(&(tally)->outcome, 1); \
	} while (0)

static __always_inline struct immune_tally *tally_of(__u32 kind)
{
	return bpf_map_lookup_elem(&tallies, &kind);
}

static __always_inline struct immune_control *control_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&control, &key);
}

/* Counts an event as seen; false, and counted as filtered, when the policy does not want it. */
static __always_inline bool kind_wanted(struct immune_tally *tally, __u32 kind)
{
	struct immune_control *policy = control_get();

	count_one(tally, seen);
	if (policy && (policy->kind_mask >> kind) & 1)
		return true;
	count_one(tally, filtered);
	return false;
}

/* Whether a process was ever turned away from the map: one that is not in it may still be new. */
static __always_inline bool processes_overflowed(void)
{
	__u32 key = 0;
	struct immune_overflow *all = bpf_map_lookup_elem(&overflowed, &key);

	return !all || all->any;
}

/* What a process that is not in the map may have had: all that those turned away had. */
static __always_inline __u64 roles_turned_away(void)
{
	__u32 key = 0;
	struct immune_overflow *all = bpf_map_lookup_elem(&overflowed, &key);

	return all ? all->roles : 0;
}

static __always_inline void processes_overflow(__u64 roles)
{
	__u32 key = 0;
	struct immune_overflow *all = bpf_map_lookup_elem(&overflowed, &key);

	if (!all)
		return;
	all->any = 1;
	if (roles)
		set_add(&all->roles, roles | 1);
}

/* Puts a process into the map; a full map is counted. flags: BPF_ANY or BPF_NOEXIST. */
static __always_inline int process_put(__u32 pid, struct immune_process *process, __u64 flags)
{
	struct immune_tally *tally = tally_of(IMMUNE_TALLY_PROCESSES);
	int error = map_put(&processes, &pid, process, flags);

	count_one(tally, seen);
	if (!error) {
		count_one(tally, submitted);
	} else if (error == -IMMUNE_EEXIST /* a hook was faster, which is what BPF_NOEXIST is for */) {
		count_one(tally, filtered);
	} else {
		count_one(tally, ring_full);
		processes_overflow(process->roles);
	}
	return error;
}

#endif
