/* SPDX-License-Identifier: MIT */
/* From what a system call names to the process behind it. */
#ifndef IMMUNE_REACH_H
#define IMMUNE_REACH_H

#include "call.h"
#include "descriptor.h"
#include "file.h"
#include "guard.h"
#include "number.h"

/* PROC_SUPER_MAGIC and PID_FS_MAGIC of include/uapi/linux/magic.h. */
#define IMMUNE_PROC_MAGIC 0x9fa0
#define IMMUNE_PIDFS_MAGIC 0x50494446
/* PTRACE_SEIZE of include/uapi/linux/ptrace.h; O_ACCMODE of asm-generic/fcntl.h. */
#define IMMUNE_PTRACE_SEIZE 0x4206
#define IMMUNE_ACCESS_MODE 3

/* Tells of an access to a process by its leader's number, when that is to be told. */
static __always_inline void reach_process(__u32 pid, __u64 start_time_ns, __u32 way, __u32 flags)
{
	struct immune_process *process;

	if (pid == bpf_get_current_pid_tgid() >> 32)
		return;
	process = reached(pid, start_time_ns);
	if (process)
		tell(process, pid, IMMUNE_KIND_ACCESS, way, flags);
}

/* The task that has a number, by the kernel's own structure of it; NULL when it ended. */
static __always_inline struct task_struct *pid_task_of(struct pid *pid)
{
	struct hlist_node *node = BPF_CORE_READ(pid, tasks[PIDTYPE_PID].first);

	if (!node)
		return NULL;
	return (void *)node - bpf_core_field_offset(struct task_struct, pid_links[PIDTYPE_PID]);
}

/* The same as a pidfd and a file of /proc/PID have it. */
static __always_inline void reach_pid(struct pid *pid, __u32 way, __u32 flags)
{
	struct task_struct *task = pid_task_of(pid);

	if (task)
		reach_process(BPF_CORE_READ(task, tgid), task_start_time(task, UNTYPED), way, flags);
}

/* A file below /proc/PID that shows the memory of its process. */
struct shown {
	struct file *file;
	struct pid *pid;
	__u32 way; /* enum immune_access */
};

/* Whether an open that succeeded was of such a file; `shown` is then filled. */
static __always_inline bool shown_find(struct task_struct *task, __u32 descriptor,
				       struct shown *shown)
{
	struct file *file = current_is_typed()
		? descriptor_file(bpf_get_current_task_btf(), TYPED, descriptor)
		: descriptor_file(task, UNTYPED, descriptor);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct proc_inode *proc;
	char name[8] = "";

	if (BPF_CORE_READ(inode, i_sb, s_magic) != IMMUNE_PROC_MAGIC)
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name_is(name, "mem", 4))
		shown->way = BPF_CORE_READ(file, f_flags) & IMMUNE_ACCESS_MODE
				     ? IMMUNE_ACCESS_WRITE
				     : IMMUNE_ACCESS_READ;
	else if (name_is(name, "environ", 7))
		shown->way = IMMUNE_ACCESS_ENVIRONMENT;
	else
		return false;
	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	shown->pid = BPF_CORE_READ(proc, pid);
	shown->file = file;
	return true;
}

/* pidfd_getfd: takes a descriptor out of another process. */
static __always_inline void reach_pidfd(struct task_struct *task, __u32 descriptor, __u32 flags)
{
	struct file *file = descriptor_file(task, UNTYPED, descriptor);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	void *pid = BPF_CORE_READ(file, private_data);

	/* From Linux 6.9 on a pidfd has an inode of its own. */
	if (BPF_CORE_READ(inode, i_sb, s_magic) == IMMUNE_PIDFS_MAGIC)
		pid = BPF_CORE_READ(inode, i_private);
	reach_pid(pid, IMMUNE_ACCESS_DESCRIPTOR, flags);
}

/* task: the one that runs. */
static __always_inline void reach(struct task_struct *task, struct pt_regs *registers, __u32 does,
				  bool native, const struct shown *shown, __u32 flags)
{
	__u32 first = call_argument(registers, 0, native);
	__u32 second = call_argument(registers, 1, native);

	switch (does) {
	case CALL_DOES_READ:
		reach_pid(pid_of_number(task, first), IMMUNE_ACCESS_READ, flags);
		break;
	case CALL_DOES_WRITE:
		reach_pid(pid_of_number(task, first), IMMUNE_ACCESS_WRITE, flags);
		break;
	case CALL_DOES_PTRACE:
		if (first == IMMUNE_PTRACE_SEIZE)
			reach_pid(pid_of_number(task, second), IMMUNE_ACCESS_SEIZE, flags);
		break;
	case CALL_DOES_TAKE:
		reach_pidfd(task, first, flags);
		break;
	case CALL_DOES_OPEN:
		reach_pid(shown->pid, shown->way, flags);
		break;
	}
}

#endif
