/* SPDX-License-Identifier: MIT */
/* What the kernel's programs know a file by, where that is not what stat(2) says. */
#ifndef IMMUNE_FILE_IDENTITY_H
#define IMMUNE_FILE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

struct file_identity {
	uint32_t device; /* kernel encoding */
	uint64_t inode;
};

/* Identity of an open file, or of one that is open as a path; false when it cannot be told. */
bool file_identity(int fd, struct file_identity *identity);

#endif
