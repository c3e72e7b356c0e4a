// SPDX-License-Identifier: MIT
/*
 * exec, by SIGKILL: the kernel has switched to the new program, which has not run one instruction
 * yet and never will. Its caller is gone by then, and of a script only the interpreter is seen.
 */
#include "verdict.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(kill_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *binary)
{
	struct file *file = BPF_CORE_READ(binary, file);
	struct immune_scratch *scratch;
	struct immune_act act;
	__u32 flags;

	if (!act_begin(&act, IMMUNE_ACTION_EXEC, IMMUNE_TIER_SIGNAL))
		return 0;
	judge_actor(&act, true);
	if (!act.entries)
		return 0;
	scratch = scratch_take();
	if (!scratch)
		return 0;
	flags = judge_file(&act, scratch, file);
	if (act.entries)
		verdict_file(&act, scratch, file, flags);
	else
		scratch_release(scratch);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
