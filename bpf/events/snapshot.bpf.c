// SPDX-License-Identifier: MIT
/* Processes that ran before the sensor: puts each into the map and tells the loader of it. */
#include "count.h"
#include "file.h"
#include "task.h"

static __always_inline void entry_fill(struct immune_snapshot_entry *entry,
				       struct task_struct *task, const struct immune_process *process)
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
	entry->device = file_device(file);
	entry->inode = BPF_CORE_READ(file, f_inode, i_ino);
	entry->flags |= file_deleted(file);
}

/* Changes of ids are followed only while a policy asks for it; before it does, they are caught up. */
static __always_inline void ids_refresh(struct immune_process *known,
					const struct immune_process *now)
{
	known->uid = now->uid;
	known->gid = now->gid;
	known->real_uid = now->real_uid;
	known->real_gid = now->real_gid;
	known->saved_uid = now->saved_uid;
	known->saved_gid = now->saved_gid;
	known->fs_uid = now->fs_uid;
	known->fs_gid = now->fs_gid;
}

SEC("iter/task")
int on_snapshot(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct immune_snapshot_entry entry;
	struct immune_process process = {};
	struct immune_process *known;
	__u32 pid;

	if (!task)
		return 0;
	pid = BPF_CORE_READ(task, tgid);
	if (!task_is_leader(task) || !BPF_CORE_READ(task, signal, live.counter))
		return 0;
	task_describe(task, &process);
	known = bpf_map_lookup_elem(&processes, &pid);
	if (known) {
		ids_refresh(known, &process);
		return 0;
	}
	entry_fill(&entry, task, &process);
	/* A write that does not fit makes the kernel show this task again: so write, then put. */
	if (bpf_seq_write(context->meta->seq, &entry, sizeof(entry)))
		return 0;
	if (process_put(pid, &process, BPF_NOEXIST))
		return 0;
	/* Ended meanwhile: its exit hook may have run before the entry was there. */
	if (!BPF_CORE_READ(task, signal, live.counter))
		bpf_map_delete_elem(&processes, &pid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
