/* SPDX-License-Identifier: MIT */
/* Facts about a task, read so that a field that moved between kernels is still found (CO-RE). */
#ifndef IMMUNE_TASK_H
#define IMMUNE_TASK_H

#include "maps.h"
#include "read.h"

/* PF_KTHREAD of include/linux/sched.h. */
#define IMMUNE_TASK_KERNEL_THREAD 0x00200000

static __always_inline __u64 task_cgroup_id(struct task_struct *task, bool typed)
{
	return READ(typed, task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline bool task_is_kernel_thread(struct task_struct *task, bool typed)
{
	return READ(typed, task, flags) & IMMUNE_TASK_KERNEL_THREAD;
}

static __always_inline bool task_is_leader(struct task_struct *task, bool typed)
{
	return READ(typed, task, pid) == READ(typed, task, tgid);
}

static __always_inline __u64 task_start_time(struct task_struct *task, bool typed)
{
	return READ(typed, task, group_leader, start_boottime);
}

/* Fills what `processes` keeps of a task; role and session are the caller's. */
static __always_inline void task_describe(struct task_struct *task, struct immune_process *out,
					  bool typed)
{
	const struct cred *cred = READ(typed, task, cred);
	struct task_struct *parent = READ(typed, task, real_parent);

	out->start_time_ns = task_start_time(task, typed);
	out->parent_pid = READ(typed, parent, tgid);
	out->parent_start_time_ns = task_start_time(parent, typed);
	out->cgroup_id = task_cgroup_id(task, typed);
	out->uid = READ(typed, cred, euid.val);
	out->gid = READ(typed, cred, egid.val);
	out->real_uid = READ(typed, cred, uid.val);
	out->real_gid = READ(typed, cred, gid.val);
	out->saved_uid = READ(typed, cred, suid.val);
	out->saved_gid = READ(typed, cred, sgid.val);
	out->fs_uid = READ(typed, cred, fsuid.val);
	out->fs_gid = READ(typed, cred, fsgid.val);
	out->flags = task_is_kernel_thread(task, typed) ? IMMUNE_FLAG_KERNEL_THREAD : 0;
}

/* Brings the ids up to date in place: a label that is written meanwhile stays. */
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

#endif
