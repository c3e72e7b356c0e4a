// SPDX-License-Identifier: MIT
/*
 * exec, by SIGKILL: the kernel has switched to the new program, which has not run one instruction
 * yet and never will. Its caller is gone by then, and of a script only the interpreter is seen.
 */
#include "verdict.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(kill_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *binary)
{
	struct immune_act act;

	if (act_begin(&act, IMMUNE_ACTION_EXEC, IMMUNE_TIER_SIGNAL))
		file_refused(&act, BPF_CORE_READ(binary, file), true);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
