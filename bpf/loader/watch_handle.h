/* SPDX-License-Identifier: MIT */
/* File handles: what names an inode as long as it lives, and no other one afterwards. */
#ifndef IMMUNE_WATCH_HANDLE_H
#define IMMUNE_WATCH_HANDLE_H

#include <fcntl.h>
#include <stdint.h>

union watch_handle {
	struct file_handle file;
	uint8_t room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

/* Hash of a file system id and file handle, as fanotify reports them; 0 = not known. */
uint64_t watch_handle_hash(const void *fsid, const struct file_handle *handle);

/* That of what a path leads to, symbolic links followed. */
uint64_t watch_handle_path(const char *path);

/* That of a descriptor's file; also gives the handle. */
uint64_t watch_handle_fd(int fd, union watch_handle *handle);

#endif
