/* SPDX-License-Identifier: MIT */
/* A line of mountinfo (proc_pid_mountinfo(5)). */
#ifndef IMMUNE_MOUNT_LINE_H
#define IMMUNE_MOUNT_LINE_H

#include <stdbool.h>
#include <stdint.h>

/* Parts of the line that it was made of. */
struct mount_line {
	uint64_t id; /* of the mount, as statx(2) has it */
	uint64_t device; /* of its file system, kernel encoding (major << 20 | minor) */
	char *root; /* what of the file system is mounted: "/" for all of it */
	char *point;
	char *type;
	char *options; /* of the file system */
};

/* Takes a line apart, in place; false when it is none. */
bool mount_line_parse(char *line, struct mount_line *mount);

#endif
