// SPDX-License-Identifier: MIT
/*
 * A label that user space found out: written by the kernel itself, in between the hooks, as a map
 * that is read and written back from outside could undo what a hook did meanwhile. Never attached;
 * the loader runs it (BPF_PROG_TEST_RUN).
 */
#include "count.h"

/* What became of it: also the answer to the loader. */
enum label_outcome {
	LABEL_GONE = 0, /* the process has ended, or was never known */
	LABEL_WRITTEN = 1,
	LABEL_LATER = 2, /* another program of the process has had its role since */
};

/*
 * Those of one that ran before the sensor, or before its maker was labelled, which is told first.
 * Who adopted it since has given it none; who has the number of a maker that ended started later.
 */
static __always_inline __u64 roles_of_maker(const struct immune_process *process)
{
	__u32 pid = process->maker_pid;
	struct immune_process *maker = bpf_map_lookup_elem(&processes, &pid);

	return maker && maker->start_time_ns <= process->start_time_ns ? maker->roles : 0;
}

SEC("raw_tp")
int on_label(struct bpf_raw_tracepoint_args *context)
{
	__u32 pid = context->args[0], role = context->args[0] >> 32;
	struct immune_process *process = bpf_map_lookup_elem(&processes, &pid);

	if (!process || process->start_time_ns != context->args[1]) {
		/* It may live, and have been turned away from the map. */
		if (processes_overflowed())
			processes_overflow(role_bit(role));
		return LABEL_GONE;
	}
	/* One that its program's marks took the place of since was had all the same. */
	process->roles |= role_bit(role) | roles_of_maker(process);
	if (process->labelled_ns > context->args[3])
		return LABEL_LATER;
	process->session = context->args[2];
	process->role = role;
	return LABEL_WRITTEN;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
