// SPDX-License-Identifier: MIT
/*
 * overlayfs, btrfs and bcachefs give stat(2) a device of their own making, and overlayfs inodes of
 * the layers below. Programs in the kernel see the inode of the file system itself: its number stands
 * in fdinfo (proc_pid_fdinfo(5), from Linux 5.14 on), its device in mountinfo.
 */
#include "file_identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define OVERLAYFS_MAGIC 0x794c7630
#define BTRFS_MAGIC 0x9123683e
#define BCACHEFS_MAGIC 0xca451a4e
/* Lines of mountinfo that are looked at. */
#define MOUNTS_MAX 65536

static bool is_layered(int fd)
{
	struct statfs system;
	uint32_t magic;

	if (fstatfs(fd, &system))
		return false;
	magic = (uint32_t)system.f_type;
	return magic == OVERLAYFS_MAGIC || magic == BTRFS_MAGIC || magic == BCACHEFS_MAGIC;
}

/* Mount and inode number of a descriptor. */
static bool descriptor_read(int fd, int *mount, uint64_t *inode)
{
	unsigned long long number;
	char path[48], line[128];
	int found = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	info = fopen(path, "re");
	if (!info)
		return false;
	/* A few lines, for a file that is no device of any kind. */
	while (found < 2 && fgets(line, sizeof(line), info)) {
		found += sscanf(line, "mnt_id: %d", mount) == 1;
		if (sscanf(line, "ino: %llu", &number) == 1) {
			*inode = number;
			found++;
		}
	}
	fclose(info);
	return found == 2;
}

static bool mount_device(int mount, uint32_t *device)
{
	FILE *mounts = fopen("/proc/thread-self/mountinfo", "re");
	unsigned int major, minor;
	bool found = false;
	size_t capacity = 0;
	char *line = NULL;
	int id;

	if (!mounts)
		return false;
	for (int i = 0; i < MOUNTS_MAX && !found && getline(&line, &capacity, mounts) > 0; i++)
		found = sscanf(line, "%d %*d %u:%u", &id, &major, &minor) == 3 && id == mount;
	if (found)
		*device = major << 20 | minor;
	free(line);
	fclose(mounts);
	return found;
}

bool file_identity(int fd, struct file_identity *identity)
{
	struct statx about;
	int mount;

	if (is_layered(fd))
		return descriptor_read(fd, &mount, &identity->inode) &&
		       mount_device(mount, &identity->device);
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &about))
		return false;
	identity->device = about.stx_dev_major << 20 | about.stx_dev_minor;
	identity->inode = about.stx_ino;
	return true;
}
