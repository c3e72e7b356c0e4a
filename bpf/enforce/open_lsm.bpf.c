// SPDX-License-Identifier: MIT
/* open, by LSM: the call gives EPERM. An exec opens its program for reading. */
#include "verdict.h"

/* FMODE_READ and FMODE_WRITE of include/linux/fs.h. */
#define IMMUNE_FMODE_READ 1
#define IMMUNE_FMODE_WRITE 2

SEC("lsm/file_open")
int BPF_PROG(refuse_open, struct file *file, int before)
{
	__u32 mode = (__u32)BPF_CORE_READ(file, f_mode);
	struct immune_act act;

	if (before || !act_begin(&act, IMMUNE_ACTION_OPEN, IMMUNE_TIER_LSM))
		return 0;
	if (mode & IMMUNE_FMODE_READ) {
		act.mode |= IMMUNE_REFUSE_READ;
		act.entries |= act.policy->open_read;
	}
	if (mode & IMMUNE_FMODE_WRITE) {
		act.mode |= IMMUNE_REFUSE_WRITE;
		act.entries |= act.policy->open_write;
	}
	if (!act.entries || !file_refused(&act, file, false))
		return 0;
	asm volatile("" ::: "memory"); /* as in exec_lsm.bpf.c */
	return -IMMUNE_EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
