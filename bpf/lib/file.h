/* SPDX-License-Identifier: MIT */
/* Facts about an open file other than its path. */
#ifndef IMMUNE_FILE_H
#define IMMUNE_FILE_H

#include "read.h"

/* O_ACCMODE, O_CREAT and O_TRUNC of include/uapi/asm-generic/fcntl.h. */
#define IMMUNE_OPEN_ACCESS 0x3
#define IMMUNE_OPEN_CREATES 0x40
#define IMMUNE_OPEN_TRUNCATES 0x200

/* Deleted: no link is left, or its name was taken out of its directory. */
static __always_inline __u32 file_deleted(struct file *file, bool typed)
{
	struct dentry *dentry = READ(typed, file, f_path.dentry);

	if (!READ(typed, file, f_inode, i_nlink))
		return IMMUNE_FLAG_DELETED;
	if (READ(typed, dentry, d_parent) != dentry && !READ(typed, dentry, d_hash.pprev))
		return IMMUNE_FLAG_DELETED;
	return 0;
}

/* A program without a place in any tree (memfd): what runs is in memory alone. */
static __always_inline __u32 file_memory_only(struct file *file, bool typed)
{
	struct dentry *dentry = READ(typed, file, f_path.dentry);

	return READ(typed, dentry, d_parent) == dentry ? IMMUNE_FLAG_MEMORY_ONLY : 0;
}

/* Whether a name is this text; `length` counts its NUL. */
static __always_inline bool name_is(const char *name, const char *text, __u32 length)
{
	/* Bounded by the text, which is a constant where this is used: no loop is left. */
	for (__u32 i = 0; i < length; i++)
		if (name[i] != text[i])
			return false;
	return true;
}

/* What is behind MAP_SHARED | MAP_ANONYMOUS. No file that a program makes has a slash in its name. */
static __always_inline bool file_is_shared_memory(struct file *file)
{
	char name[16] = "";

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return name_is(name, "dev/zero", 9);
}

/* Device in the encoding of the records, which is that of the kernel: major << 20 | minor. */
static __always_inline __u32 file_device(struct file *file, bool typed)
{
	return READ(typed, file, f_inode, i_sb, s_dev);
}

#endif
