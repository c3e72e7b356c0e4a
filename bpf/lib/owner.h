/* SPDX-License-Identifier: MIT */
/*
 * Whose a socket is. Most of what happens to one happens in an interrupt, in the middle of any other
 * process: so the one that opened it is put down when it did.
 */
#ifndef IMMUNE_OWNER_H
#define IMMUNE_OWNER_H

#include "record.h"

static __always_inline void owner_fill(struct immune_owner *owner, struct task_struct *task,
				       bool typed)
{
	const struct cred *cred = READ(typed, task, cred);
	struct task_struct *parent = READ(typed, task, real_parent);
	struct immune_process *process = process_of(task, typed);

	owner->start_time_ns = task_start_time(task, typed);
	owner->parent_start_time_ns = task_start_time(parent, typed);
	owner->cgroup_id = task_cgroup_id(task, typed);
	owner->since_ns = bpf_ktime_get_boot_ns();
	owner->pid = READ(typed, task, tgid);
	owner->tid = READ(typed, task, pid);
	owner->parent_pid = READ(typed, parent, tgid);
	owner->uid = READ(typed, cred, euid.val);
	owner->gid = READ(typed, cred, egid.val);
	if (process && process->start_time_ns == owner->start_time_ns) {
		owner->session = process->session;
		owner->role = process->role;
	}
}

static __always_inline void owner_fill_current(struct immune_owner *owner)
{
	if (current_is_typed())
		owner_fill(owner, bpf_get_current_task_btf(), TYPED);
	else
		owner_fill(owner, (void *)bpf_get_current_task(), UNTYPED);
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
	if (!owner || !pid) {
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
