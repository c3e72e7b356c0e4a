// SPDX-License-Identifier: MIT
/*
 * Whether a program in user space serves an open file (FUSE, virtiofs). The kernel knows; to ask the
 * file system itself, by fstatfs(2) or any other way, is to wait for that program. Never attached;
 * the loader runs it (BPF_PROG_TEST_RUN) on the thread that has the descriptor.
 */
#include "descriptor.h"
#include "file_system.h"
#include "served_outcome.h"

SEC("raw_tp")
int on_served(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file = descriptor_file(task, false, context->args[0]);
	struct super_block *super;

	if (!file)
		return SERVED_NO_FILE;
	super = BPF_CORE_READ(file, f_inode, i_sb);
	switch (BPF_CORE_READ(super, s_magic)) {
	case IMMUNE_FUSE_MAGIC:
		return SERVED_BY_A_PROGRAM;
	case IMMUNE_OVERLAYFS_MAGIC:
		/* Anybody may lay one over FUSE, in a user namespace of his own (Linux 5.11). */
		return BPF_CORE_READ(super, s_user_ns, level) ? SERVED_CANNOT_BE_TOLD : SERVED_NOT;
	}
	return SERVED_NOT;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
