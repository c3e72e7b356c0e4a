// SPDX-License-Identifier: MIT
/* open, by LSM: the call gives EPERM. An exec opens its program for reading. */
#include "verdict.h"

/* FMODE_READ and FMODE_WRITE of include/linux/fs.h. */
#define IMMUNE_FMODE_READ 1
#define IMMUNE_FMODE_WRITE 2

/*
 * What an open is for. O_TRUNC empties a file that is opened for reading, and is still among the
 * flags here; access mode 3 asks for both rights and gives neither mode, but a descriptor for ioctl.
 */
static __always_inline __u32 open_mode(struct file *file)
{
	__u32 flags = BPF_CORE_READ(file, f_flags);
	__u32 mode = (__u32)BPF_CORE_READ(file, f_mode);
	bool both = (flags & IMMUNE_OPEN_ACCESS) == IMMUNE_OPEN_ACCESS;

	return (both || mode & IMMUNE_FMODE_READ ? IMMUNE_REFUSE_READ : 0) |
	       (both || mode & IMMUNE_FMODE_WRITE || flags & IMMUNE_OPEN_TRUNCATES
			? IMMUNE_REFUSE_WRITE
			: 0);
}

SEC("lsm/file_open")
int BPF_PROG(refuse_open, struct file *file, int before)
{
	struct immune_act act;

	if (before || !act_begin(&act, IMMUNE_ACTION_OPEN, IMMUNE_TIER_LSM))
		return 0;
	act.mode = open_mode(file);
	if (act.mode & IMMUNE_REFUSE_READ)
		act.entries |= act.policy->open_read;
	if (act.mode & IMMUNE_REFUSE_WRITE)
		act.entries |= act.policy->open_write;
	if (!act.entries || !file_refused(&act, file, false))
		return 0;
	asm volatile("" ::: "memory"); /* as in exec_lsm.bpf.c */
	return -IMMUNE_EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
