// SPDX-License-Identifier: MIT
/*
 * What the kernel knows of an open file and stat(2) does not say. Never attached; the loader runs it
 * (BPF_PROG_TEST_RUN) on the thread that has the descriptor, with that, a device and an inode.
 */
#include "descriptor.h"
#include "file.h"
#include "file_answer.h"

SEC("raw_tp")
int on_file(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file = descriptor_file(task, UNTYPED, context->args[0]);
	struct inode *inode;

	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	if (file_device(file, UNTYPED) == (__u32)context->args[1] &&
	    BPF_CORE_READ(inode, i_ino) == context->args[2])
		return FILE_ANSWER_SAME;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
