// SPDX-License-Identifier: MIT
/* exec, by LSM: the call gives EPERM; for a script both it and its interpreter are asked about. */
#include "verdict.h"

SEC("lsm/bprm_check_security")
int BPF_PROG(refuse_exec, struct linux_binprm *binary, int before)
{
	struct file *file = BPF_CORE_READ(binary, file);
	struct immune_scratch *scratch;
	struct immune_act act;
	__u32 flags;

	if (before || !act_begin(&act, IMMUNE_ACTION_EXEC, IMMUNE_TIER_LSM))
		return 0;
	judge_actor(&act, false);
	if (!act.entries)
		return 0;
	scratch = scratch_take();
	if (!scratch)
		return 0;
	flags = judge_file(&act, scratch, file);
	if (!act.entries) {
		scratch_release(scratch);
		return 0;
	}
	if (!outcome_refuses(verdict_file(&act, scratch, file, flags)))
		return 0;
	/* The barrier keeps clang from making one computed value of both returns, which 6.12's
	 * verifier refuses. */
	asm volatile("" ::: "memory");
	return -IMMUNE_EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
