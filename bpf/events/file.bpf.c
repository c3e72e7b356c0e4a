// SPDX-License-Identifier: MIT
/*
 * What the kernel knows of an open file and stat(2) does not say. Never attached; the loader runs it
 * (BPF_PROG_TEST_RUN) on the thread that has the descriptor, with that, a device and an inode.
 */
#include "descriptor.h"
#include "file.h"
#include "file_answer.h"
#include "file_system.h"

/*
 * Whether each change has a change time of its own. A page that can be written already is written
 * without one: on a file system in memory each that was mapped to be written and was read before,
 * on others one that was written before. A mapping keeps the file open for writing.
 */
static __always_inline bool inode_tells(struct inode *inode)
{
	return !inode_in_memory(inode) && BPF_CORE_READ(inode, i_writecount.counter) <= 0;
}

SEC("raw_tp")
int on_file(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file = descriptor_file(task, UNTYPED, context->args[0]);
	struct inode *inode;
	int answer = 0;

	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	if (file_device(file, UNTYPED) == (__u32)context->args[1] &&
	    BPF_CORE_READ(inode, i_ino) == context->args[2])
		answer |= FILE_ANSWER_SAME;
	if (inode_tells(inode_written(inode)))
		answer |= FILE_ANSWER_TELLS;
	return answer;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
