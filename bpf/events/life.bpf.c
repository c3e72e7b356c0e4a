// SPDX-License-Identifier: MIT
/* fork and exit of processes; threads come and go unseen. */
#include "record.h"

/* SIGNAL_GROUP_EXIT of include/linux/sched/signal.h: the group's code counts, not the thread's. */
#define IMMUNE_SIGNAL_GROUP_EXIT 4

struct exit_record {
	struct immune_record_header header;
	struct immune_exit_body body;
};

/* Runs before the child does, so that a label is there before its first instruction. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_FORK);
	struct immune_process process = {};
	struct immune_record_header header;
	struct immune_process *maker;

	if (!task_is_leader(child, TYPED))
		return 0;
	task_describe(child, &process, TYPED);
	maker = process_of(parent, TYPED);
	if (maker && maker->start_time_ns == task_start_time(parent, TYPED)) {
		process.session = maker->session;
		process.role = maker->role;
		process.roles = maker->roles;
	}
	process_put(child->tgid, &process, BPF_ANY);
	if (!kind_wanted(tally, IMMUNE_KIND_FORK))
		return 0;
	header_fill(&header, child, &process, IMMUNE_KIND_FORK, TYPED);
	header.length = sizeof(header);
	record_send(&lifecycle, &header, sizeof(header), tally, IMMUNE_STREAM_LIFECYCLE, false);
	return 0;
}

/*
 * Two threads that end together can both see that none is left; the one that removes the process
 * from the map reports. A process that is not in the map is reported only while that can be for
 * another reason: the snapshot is not done, or the map was full.
 */
static __always_inline bool exit_is_first(__u32 pid)
{
	struct immune_control *policy = control_get();

	if (!bpf_map_delete_elem(&processes, &pid))
		return true;
	return !policy || !policy->snapshot_done || processes_overflowed();
}

/* Keeps a process for a moment, while changes of files are wanted: they are told afterwards. */
static __always_inline void keep_ended(__u32 pid, struct immune_process *process)
{
	struct immune_control *policy = control_get();

	if (process && policy && (policy->kind_mask >> IMMUNE_KIND_CHANGE) & 1)
		bpf_map_update_elem(&ended, &pid, process, BPF_ANY);
}

static __always_inline __u32 exit_status(struct task_struct *task)
{
	if (task->signal->flags & IMMUNE_SIGNAL_GROUP_EXIT)
		return task->signal->group_exit_code;
	return task->group_leader->exit_code;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_EXIT);
	struct exit_record record = {};
	struct immune_process *process;
	__u32 status;

	if (task->signal->live.counter)
		return 0;
	process = process_of(task, TYPED);
	header_fill(&record.header, task, process, IMMUNE_KIND_EXIT, TYPED);
	keep_ended(record.header.pid, process);
	if (!exit_is_first(record.header.pid))
		return 0;
	if (!kind_wanted(tally, IMMUNE_KIND_EXIT))
		return 0;
	status = exit_status(task);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.exit_code = (status >> 8) & 0xff;
	record.body.signal = status & 0x7f;
	record_send(&lifecycle, &record.header, sizeof(record), tally,
		    IMMUNE_STREAM_LIFECYCLE, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
