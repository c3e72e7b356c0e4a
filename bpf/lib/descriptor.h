/* SPDX-License-Identifier: MIT */
/* From a task's descriptor to what is behind it. */
#ifndef IMMUNE_DESCRIPTOR_H
#define IMMUNE_DESCRIPTOR_H

#include "read.h"

/* S_IFMT and S_IFSOCK of include/uapi/linux/stat.h; SOCKFS_MAGIC of linux/magic.h. */
#define IMMUNE_MODE_TYPE 0170000
#define IMMUNE_MODE_SOCKET 0140000
#define IMMUNE_SOCKFS_MAGIC 0x534f434b

static __always_inline struct file *descriptor_file(struct task_struct *task, bool typed,
						    __u32 descriptor)
{
	struct fdtable *table = READ(typed, task, files, fdt);
	struct file **files = READ(typed, table, fd);
	struct file *file = NULL;

	if (descriptor >= READ(typed, table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), &files[descriptor]);
	return file;
}

/* The socket behind a file, or NULL when it is none. */
static __always_inline struct sock *file_socket(struct file *file)
{
	struct socket *socket;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & IMMUNE_MODE_TYPE) != IMMUNE_MODE_SOCKET ||
	    BPF_CORE_READ(file, f_inode, i_sb, s_magic) != IMMUNE_SOCKFS_MAGIC)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

#endif
