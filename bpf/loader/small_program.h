/* SPDX-License-Identifier: MIT */
/* Starting the small programs that lie beside this library. */
#ifndef IMMUNE_SMALL_PROGRAM_H
#define IMMUNE_SMALL_PROGRAM_H

#include <stdint.h>
#include <sys/types.h>

/* Number of the first descriptor that such a program is given. */
#define SMALL_PROGRAM_FD_FIRST 3
/* Most of them. */
#define SMALL_PROGRAM_FDS_MAX 8

struct small_program {
	const char *name;
	const int *descriptors; /* `count` of them, in the order of their numbers there */
	uint32_t count;
	const char *without; /* what is amiss without it; the end of an error line */
};

/* Starts one, in a session of its own, with nothing in its environment. 0 or -errno with a line. */
int small_program_start(const struct small_program *program, pid_t *pid);

#endif
