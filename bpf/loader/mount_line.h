/* SPDX-License-Identifier: MIT */
/* A line of mountinfo (proc_pid_mountinfo(5)). */
#ifndef IMMUNE_MOUNT_LINE_H
#define IMMUNE_MOUNT_LINE_H

#include <stdbool.h>

/* Parts of the line that it was made of. */
struct mount_line {
	char *root; /* what of the file system is mounted: "/" for all of it */
	char *point;
	char *type;
};

/* Takes a line apart, in place; false when it is none. */
bool mount_line_parse(char *line, struct mount_line *mount);

#endif
