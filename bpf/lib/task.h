/* SPDX-License-Identifier: MIT */
/* Facts about a task, read so that a field that moved between kernels is still found (CO-RE). */
#ifndef IMMUNE_TASK_H
#define IMMUNE_TASK_H

#include "maps.h"

/* PF_KTHREAD of include/linux/sched.h. */
#define IMMUNE_TASK_KERNEL_THREAD 0x00200000

static __always_inline __u64 task_cgroup_id(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline bool task_is_kernel_thread(struct task_struct *task)
{
	return BPF_CORE_READ(task, flags) & IMMUNE_TASK_KERNEL_THREAD;
}

static __always_inline bool task_is_leader(struct task_struct *task)
{
	return BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid);
}

static __always_inline __u64 task_start_time(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/* Fills what `processes` keeps of a task; role and session are the caller's. */
static __always_inline void task_describe(struct task_struct *task, struct immune_process *out)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	out->start_time_ns = task_start_time(task);
	out->parent_pid = BPF_CORE_READ(parent, tgid);
	out->parent_start_time_ns = task_start_time(parent);
	out->cgroup_id = task_cgroup_id(task);
	out->uid = BPF_CORE_READ(cred, euid.val);
	out->gid = BPF_CORE_READ(cred, egid.val);
	out->real_uid = BPF_CORE_READ(cred, uid.val);
	out->real_gid = BPF_CORE_READ(cred, gid.val);
	out->saved_uid = BPF_CORE_READ(cred, suid.val);
	out->saved_gid = BPF_CORE_READ(cred, sgid.val);
	out->fs_uid = BPF_CORE_READ(cred, fsuid.val);
	out->fs_gid = BPF_CORE_READ(cred, fsgid.val);
	out->flags = task_is_kernel_thread(task) ? IMMUNE_FLAG_KERNEL_THREAD : 0;
}

#endif
