/* SPDX-License-Identifier: MIT */
/* How exact the times of files are; also in bpf/hasher. */
#ifndef IMMUNE_FILE_TICK_H
#define IMMUNE_FILE_TICK_H

#include <stdbool.h>
#include <stdint.h>

/* Times of files are those of the last tick: up to 10 ms old. */
#define FILE_TICK_NS 10000000ull

/* Whether a file of that change time (wall clock) can still change within the tick that it has. */
bool file_ticks(uint64_t changed_ns);

#endif
