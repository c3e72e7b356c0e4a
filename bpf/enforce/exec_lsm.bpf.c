// SPDX-License-Identifier: MIT
/* exec, by LSM: the call gives EPERM; for a script both it and its interpreter are asked about. */
#include "verdict.h"

SEC("lsm/bprm_check_security")
int BPF_PROG(refuse_exec, struct linux_binprm *binary, int before)
{
	struct immune_act act;

	if (before || !act_begin(&act, IMMUNE_ACTION_EXEC, IMMUNE_TIER_LSM))
		return 0;
	if (!file_refused(&act, BPF_CORE_READ(binary, file), false))
		return 0;
	/* The barrier keeps clang from making one computed value of both returns, which 6.12's
	 * verifier refuses. */
	asm volatile("" ::: "memory");
	return -IMMUNE_EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
