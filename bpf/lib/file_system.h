/* SPDX-License-Identifier: MIT */
/* What kind of file system a file is on. */
#ifndef IMMUNE_FILE_SYSTEM_H
#define IMMUNE_FILE_SYSTEM_H

#include "read.h"

/* Of include/uapi/linux/magic.h. */
#define IMMUNE_TMPFS_MAGIC 0x01021994
#define IMMUNE_RAMFS_MAGIC 0x858458f6
#define IMMUNE_HUGETLBFS_MAGIC 0x958458f6
#define IMMUNE_OVERLAYFS_MAGIC 0x794c7630
#define IMMUNE_FUSE_MAGIC 0x65735546

/* Whether it is one in memory. */
static __always_inline bool inode_in_memory(struct inode *inode)
{
	switch (BPF_CORE_READ(inode, i_sb, s_magic)) {
	case IMMUNE_TMPFS_MAGIC: case IMMUNE_RAMFS_MAGIC: case IMMUNE_HUGETLBFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/*
 * The inode that is written when a file is: of overlayfs that of the upper layer, where there is one.
 * Its name stands right behind the inode (struct ovl_inode), whose module may not be loaded yet.
 */
static __always_inline struct inode *inode_written(struct inode *inode)
{
	struct dentry *upper = NULL;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != IMMUNE_OVERLAYFS_MAGIC)
		return inode;
	bpf_probe_read_kernel(&upper, sizeof(upper),
			      (void *)inode + bpf_core_type_size(struct inode));
	return upper ? BPF_CORE_READ(upper, d_inode) : inode;
}

#endif
