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

/* `role` and `flags` of a process are one word of it. */
static __always_inline __u32 *role_word(struct immune_process *process)
{
	_Static_assert(__builtin_offsetof(struct immune_process, role) % 4 == 0 &&
			       __builtin_offsetof(struct immune_process, flags) ==
				       __builtin_offsetof(struct immune_process, role) + 2,
		       "one word");
	return (void *)&process->role;
}

/*
 * The role in force is written only if nothing else wrote it since `before` was read, which was
 * before the time of its last marks was looked at.
 */
static __always_inline int role_write(struct immune_process *process, __u32 before, __u64 start,
				      __u32 role, __u64 session)
{
	__u64 session_before = process->session;
	/* Little-endian, like every kernel that the sensor runs on. */
	__u32 after = (before & 0xffff0000) | role;

	if (!word_replace(role_word(process), before, after))
		return LABEL_LATER;
	process->session = session;
	if (*(volatile __u64 *)&process->start_time_ns == start)
		return LABEL_WRITTEN;
	/* It ended meanwhile, and a new process has its place in the map: what that had is put back. */
	word_replace(role_word(process), after, before);
	if (process->session == session)
		process->session = session_before;
	return LABEL_GONE;
}

SEC("raw_tp")
int on_label(struct bpf_raw_tracepoint_args *context)
{
	__u32 pid = context->args[0], role = (__u16)(context->args[0] >> 32);
	struct immune_process *process = bpf_map_lookup_elem(&processes, &pid);
	__u64 roles = role_bit(role), start = context->args[1];
	__u32 before;

	if (process)
		roles |= roles_of_maker(process);
	if (!process || process->start_time_ns != start) {
		/* It may live, and have been turned away from the map. */
		if (processes_overflowed())
			processes_overflow(role_bit(role));
		return LABEL_GONE;
	}
	/* One that its program's marks took the place of since was had all the same. */
	set_add(&process->roles, roles);
	before = *(volatile __u32 *)role_word(process);
	if (*(volatile __u64 *)&process->labelled_ns > context->args[3])
		return LABEL_LATER;
	return role_write(process, before, start, role, context->args[2]);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
