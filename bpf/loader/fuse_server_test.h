/* SPDX-License-Identifier: MIT */
/* A file system that a process of the test serves, and may stop serving at any time. */
#ifndef IMMUNE_FUSE_SERVER_TEST_H
#define IMMUNE_FUSE_SERVER_TEST_H

#include <sys/types.h>

/* Bytes of the long name; Linux's own file systems take 255. */
#define FUSE_LONG_NAME_BYTES 300

/* The name of the file with a long name. */
void fuse_long_name(char name[FUSE_LONG_NAME_BYTES + 1]);
/* Serves "runs" (the bytes of a program), "watched" and the long name in a folder that it makes, in a
 * mount namespace of the test alone; its server. more: further options of the mount. The test is
 * skipped where there is no FUSE. */
pid_t fuse_start(const char *folder, const char *program, const char *more);
/* 1 there: the server that was started last takes questions and answers none. */
_Atomic int *fuse_mute(void);
/* Ends it; who waits for an answer gets an error. */
void fuse_end(pid_t pid, const char *folder);

#endif
