/* SPDX-License-Identifier: MIT */
/* What the kernel knows of an open file and stat(2) does not say: its program `on_file` tells. */
#ifndef IMMUNE_FILE_ASK_H
#define IMMUNE_FILE_ASK_H

#include <stdbool.h>

#include "file_identity.h"

/* Whether the kernel has a file, open or open as a path alone, under this device and inode. Unlike
 * file_identity() it knows that on any file system and in any mount namespace. program: `on_file`. */
bool file_is(int program, int fd, const struct file_identity *identity);

/* Whether each change of an open file from now on gives it another change time, after the tick of
 * its last one (file_tick.h). Not so in memory, and while somebody has it open for writing. */
bool file_tells(int program, int fd);

#endif
