/* SPDX-License-Identifier: MIT */
/*
 * Whose a socket is. Most of what happens to one happens in an interrupt, in the middle of any other
 * process: so the one that opened it is put down when it did.
 */
#ifndef IMMUNE_OWNER_H
#define IMMUNE_OWNER_H

#include "record.h"

static __always_inline void owner_fill(struct immune_owner *owner, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);
	__u32 pid = BPF_CORE_READ(task, tgid);
	struct immune_process *process = bpf_map_lookup_elem(&processes, &pid);

	owner->start_time_ns = task_start_time(task);
	owner->parent_start_time_ns = task_start_time(parent);
	owner->cgroup_id = task_cgroup_id(task);
	owner->since_ns = bpf_ktime_get_boot_ns();
	owner->pid = pid;
	owner->tid = BPF_CORE_READ(task, pid);
	owner->parent_pid = BPF_CORE_READ(parent, tgid);
	owner->uid = BPF_CORE_READ(cred, euid.val);
	owner->gid = BPF_CORE_READ(cred, egid.val);
	if (process && process->start_time_ns == owner->start_time_ns) {
		owner->session = process->session;
		owner->role = process->role;
	}
}

/* Fills the header for an owner, with the label that he has now; without one it is unresolved. */
static __always_inline void header_fill_owner(struct immune_record_header *header,
					      const struct immune_owner *owner, __u32 kind)
{
	struct immune_process *process;
	__u32 pid = owner ? owner->pid : 0;

	__builtin_memset(header, 0, sizeof(*header));
	header->header_length = sizeof(*header);
	header->kind = kind;
	header->version = IMMUNE_RECORD_VERSION;
	header->time_ns = bpf_ktime_get_boot_ns();
	if (!owner) {
		header->flags = IMMUNE_FLAG_UNRESOLVED;
		return;
	}
	header->pid = pid;
	header->tid = owner->tid;
	header->parent_pid = owner->parent_pid;
	header->start_time_ns = owner->start_time_ns;
	header->parent_start_time_ns = owner->parent_start_time_ns;
	header->uid = owner->uid;
	header->gid = owner->gid;
	header->cgroup_id = owner->cgroup_id;
	header->session = owner->session;
	header->role = owner->role;
	process = bpf_map_lookup_elem(&processes, &pid);
	if (process && process->start_time_ns == owner->start_time_ns && process->role) {
		header->session = process->session;
		header->role = process->role;
	}
}

#endif
