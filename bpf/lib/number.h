/* SPDX-License-Identifier: MIT */
/*
 * From the number of a process or thread, as the caller knows it, to the kernel's own structure of
 * it: by the radix tree of the caller's pid namespace (include/linux/xarray.h), as the kernel does.
 */
#ifndef IMMUNE_NUMBER_H
#define IMMUNE_NUMBER_H

#include "read.h"

/* xa_is_node(): the two low bits of an entry say what it is; what is not over 4096 is no place. */
#define IMMUNE_ENTRY_BITS 3
#define IMMUNE_ENTRY_NODE 2
#define IMMUNE_ENTRY_MIN 4096
/* Numbers have 22 bits at most (PID_MAX_LIMIT), a level takes 4 of them or 6. */
#define IMMUNE_TREE_LEVELS_MAX 6

static __always_inline struct pid_namespace *pid_space(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u64 at = bpf_core_field_offset(struct pid, numbers) +
		   (__u64)BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
	struct upid *number = (void *)pid + at;

	return BPF_CORE_READ(number, ns);
}

/* Of the caller's namespace; NULL when nobody there has the number. */
static __always_inline struct pid *pid_of_number(struct task_struct *task, __u32 number)
{
	__u32 slots = bpf_core_field_size(struct xa_node, slots) / sizeof(void *);
	__u64 entry = (__u64)BPF_CORE_READ(pid_space(task), idr.idr_rt.xa_head);

	/* One node a turn, bounded by the levels that a number can have. */
	for (__u32 level = 0; level < IMMUNE_TREE_LEVELS_MAX; level++) {
		struct xa_node *node = (void *)(entry - IMMUNE_ENTRY_NODE);
		__u32 slot;

		if ((entry & IMMUNE_ENTRY_BITS) != IMMUNE_ENTRY_NODE || entry <= IMMUNE_ENTRY_MIN)
			break;
		slot = number >> (BPF_CORE_READ(node, shift) & 31);
		/* Numbers over all that the tree has are nobody's. */
		if (!level && slot >= slots)
			return NULL;
		slot &= slots - 1;
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry),
				      (void *)node + bpf_core_field_offset(struct xa_node, slots) +
				      slot * sizeof(void *));
	}
	return entry & IMMUNE_ENTRY_BITS ? NULL : (void *)entry;
}

#endif
