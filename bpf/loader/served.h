/* SPDX-License-Identifier: MIT */
/*
 * Files that a program in user space serves (FUSE). It answers when it likes to, if ever,
 * and may itself wait for an answer of ours: nothing here asks it anything.
 */
#ifndef IMMUNE_SERVED_H
#define IMMUNE_SERVED_H

#include <stdbool.h>

/* Whether to look at what a path leads to, links followed, is to ask such a program. Mounts of this
 * process's namespace count, as the kernel has them now, but for that of the root. */
bool served_path(const char *path);

/* The same of all that lies in a path's directory. */
bool served_parent(const char *path);

/* Whether such a program, or the host of a guest (virtiofs), serves an open file, or that cannot be
 * told. program: `on_served`. */
bool served_file(int program, int fd);

#endif
