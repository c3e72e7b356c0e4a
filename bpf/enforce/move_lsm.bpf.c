// SPDX-License-Identifier: MIT
/*
 * Links and renames, by LSM: the call gives EPERM where it would take something out of a tree that
 * the acting process may not open files in. Both are on one mount. Kernels without CONFIG_SECURITY_PATH
 * have no such hooks.
 */
#include "verdict.h"

/* RENAME_EXCHANGE of include/uapi/linux/fs.h. */
#define IMMUNE_RENAME_EXCHANGE 2

/* Whether one way of a change of names is to be refused. */
static __always_inline bool leaves_tree(struct dentry *from, struct dentry *to,
					struct vfsmount *mount)
{
	struct immune_act act;

	if (!act_begin(&act, IMMUNE_ACTION_OPEN, IMMUNE_TIER_LSM))
		return false;
	act.mode = IMMUNE_REFUSE_MOVE;
	act.entries = (act.policy->open_read | act.policy->open_write) & act.policy->by_tree;
	return act.entries && move_refused(&act, from, to, mount);
}

SEC("lsm/path_link")
int BPF_PROG(refuse_link, struct dentry *from, const struct path *directory, struct dentry *to)
{
	if (!leaves_tree(from, to, BPF_CORE_READ(directory, mnt)))
		return 0;
	asm volatile("" ::: "memory"); /* as in exec_lsm.bpf.c */
	return -IMMUNE_EPERM;
}

SEC("lsm/path_rename")
int BPF_PROG(refuse_move, const struct path *directory, struct dentry *from,
	     const struct path *to_directory, struct dentry *to)
{
	if (!leaves_tree(from, to, BPF_CORE_READ(directory, mnt)))
		return 0;
	asm volatile("" ::: "memory"); /* the same */
	return -IMMUNE_EPERM;
}

/* The other way of an exchange; before Linux 5.19 the hook is called once for each. */
SEC("lsm/path_rename")
int BPF_PROG(refuse_exchange, const struct path *directory, struct dentry *from,
	     const struct path *to_directory, struct dentry *to, unsigned int flags)
{
	if (!(flags & IMMUNE_RENAME_EXCHANGE) ||
	    !leaves_tree(to, from, BPF_CORE_READ(directory, mnt)))
		return 0;
	asm volatile("" ::: "memory"); /* the same */
	return -IMMUNE_EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
