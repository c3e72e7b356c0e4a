/* SPDX-License-Identifier: MIT */
/* Facts about an open file other than its path. */
#ifndef IMMUNE_FILE_H
#define IMMUNE_FILE_H

#include "maps.h"

/* Deleted: no link is left, or its name was taken out of its directory. */
static __always_inline __u32 file_deleted(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

	if (!BPF_CORE_READ(file, f_inode, i_nlink))
		return IMMUNE_FLAG_DELETED;
	if (BPF_CORE_READ(dentry, d_parent) != dentry && !BPF_CORE_READ(dentry, d_hash.pprev))
		return IMMUNE_FLAG_DELETED;
	return 0;
}

/* Device in the encoding of the records, which is that of the kernel: major << 20 | minor. */
static __always_inline __u32 file_device(struct file *file)
{
	return BPF_CORE_READ(file, f_inode, i_sb, s_dev);
}

#endif
