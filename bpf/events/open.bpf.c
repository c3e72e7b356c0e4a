// SPDX-License-Identifier: MIT
/*
 * Every successful open of the host, at the exit of the system call: from the descriptor to the
 * file to its path. Attached only while a policy asks for the wide stream: one of both programs.
 */
#include "open.h"

/* Where the verifier can be told what lies behind a descriptor, so that plain loads follow it. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_open_exit, struct pt_regs *registers, long result)
{
	__u32 number = call_number(registers);

	if (result >= 0 && call_may_open(number))
		open_ended(bpf_get_current_task_btf(), registers, number, result, TYPED);
	return 0;
}

/* Before Linux 6.2. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_old_open_exit, struct pt_regs *registers, long result)
{
	__u32 number = call_number(registers);

	if (result >= 0 && call_may_open(number))
		open_ended((void *)bpf_get_current_task(), registers, number, result, UNTYPED);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
