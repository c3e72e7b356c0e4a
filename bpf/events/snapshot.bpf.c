// SPDX-License-Identifier: MIT
/* Processes that ran before the sensor, or came unseen: puts each into the map and tells of it. */
#include "count.h"
#include "file.h"
#include "label.h"
#include "task.h"

static __always_inline void entry_fill(struct immune_snapshot_entry *entry,
				       struct task_struct *task,
				       const struct immune_process *process)
{
	struct file *file = BPF_CORE_READ(task, mm, exe_file);

	entry->start_time_ns = process->start_time_ns;
	entry->parent_start_time_ns = process->parent_start_time_ns;
	entry->cgroup_id = process->cgroup_id;
	entry->pid = BPF_CORE_READ(task, tgid);
	entry->parent_pid = process->parent_pid;
	entry->uid = process->uid;
	entry->gid = process->gid;
	entry->real_uid = process->real_uid;
	entry->real_gid = process->real_gid;
	entry->parent_uid = BPF_CORE_READ(task, real_parent, cred, euid.val);
	entry->flags = process->flags;
	entry->reserved = 0;
	entry->device = 0;
	entry->inode = 0;
	if (!file)
		return;
	entry->device = file_device(file, UNTYPED);
	entry->inode = BPF_CORE_READ(file, f_inode, i_ino);
	entry->flags |= file_deleted(file, UNTYPED);
}

static __always_inline bool leader_lives(struct task_struct *leader)
{
	return BPF_CORE_READ(leader, tgid) && BPF_CORE_READ(leader, signal, live.counter);
}

/* Whether a process's last thread has run the exit hook: its leader waits to be collected. */
static __always_inline bool leader_ended(struct task_struct *leader)
{
	return BPF_CORE_READ(leader, exit_state) &&
	       BPF_CORE_READ(leader, signal, nr_threads) == 1;
}

/* What the map has of a process; one that had its number and whose end nobody saw is taken out. */
static __always_inline struct immune_process *leader_find(struct task_struct *leader, __u32 pid)
{
	struct immune_process *known = bpf_map_lookup_elem(&processes, &pid);

	if (!known || known->start_time_ns == task_start_time(leader, UNTYPED))
		return known;
	/* One that started later took the number of this task, which has ended, meanwhile. */
	if (known->start_time_ns < task_start_time(leader, UNTYPED))
		bpf_map_delete_elem(&processes, &pid);
	return NULL;
}

/* Adds the process of a leader, or brings its ids up to date. */
static __always_inline void leader_add(struct seq_file *seq, struct task_struct *leader, __u32 pid,
				       struct immune_process *known)
{
	struct immune_snapshot_entry entry;
	struct immune_process process = {};

	task_describe(leader, &process, UNTYPED);
	/* Changes of ids are followed only while a policy asks for it, and caught up with before. */
	if (known) {
		ids_refresh(known, &process);
		return;
	}
	entry_fill(&entry, leader, &process);
	/* A write that does not fit makes the kernel show this task again: so write, then put. */
	if (bpf_seq_write(seq, &entry, sizeof(entry)))
		return;
	label_find(&process, leader);
	process.maker_pid = process.parent_pid;
	if (process_put(pid, &process, BPF_NOEXIST))
		return;
	/* Ended meanwhile: its exit hook may have run before the entry was there. */
	if (!leader_lives(leader))
		bpf_map_delete_elem(&processes, &pid);
}

/*
 * A kernel may keep a process from the iterator (seen: pid 1 of a guarded virtual machine); its
 * children lead to it. One process at a time, as what a task wrote is kept or dropped together: a
 * task whose parent is added now has its turn in the next pass. Once the map has turned somebody away
 * a parent may never be in it: then every task is shown for itself.
 */
SEC("iter/task")
int on_snapshot(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct immune_process *known;
	struct task_struct *leader;
	__u32 pid;

	if (!task || !task_is_leader(task, UNTYPED))
		return 0;
	if (!leader_lives(task)) {
		pid = BPF_CORE_READ(task, tgid);
		if (leader_ended(task) && leader_find(task, pid))
			bpf_map_delete_elem(&processes, &pid);
		return 0;
	}
	leader = BPF_CORE_READ(task, real_parent, group_leader);
	pid = BPF_CORE_READ(leader, tgid);
	known = leader_find(leader, pid);
	if (known || processes_overflowed() || !leader_lives(leader)) {
		leader = task;
		pid = BPF_CORE_READ(task, tgid);
		known = leader_find(leader, pid);
	}
	leader_add(context->meta->seq, leader, pid, known);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
