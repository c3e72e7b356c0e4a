/* SPDX-License-Identifier: MIT */
/* What the files of the loader share. */
#ifndef IMMUNE_INTERNAL_H
#define IMMUNE_INTERNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "immune_sensor.h"

/* Marks what the library exports; everything else is hidden. */
#define IMMUNE_EXPORT __attribute__((visibility("default")))

/* Longest error line, with its NUL. */
#define IMMUNE_ERROR_BYTES 512

/* Sets the calling thread's error line: what failed, where, what to do; no full stop. */
void immune_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The calling thread's error line. */
const char *immune_failure(void);

/* Forgets the line of an earlier failure. Every call that may fail without a line begins so. */
void immune_begin(void);
/* Ends such a call: a failure that set no line gets one. doing: "Cannot ..." goes on with it. */
int64_t immune_end(const char *doing, int64_t result);
/* The line and the error of a call without what it needs; doing as above. */
int64_t immune_misused(const char *doing);

/* Starts to keep libbpf's first complaint; nothing of libbpf is ever printed. */
void immune_log_begin(void);
/* The first complaint since, without its end of line; empty when there was none. */
const char *immune_log_first(void);

/* Start time of a process in clock ticks since boot, or a negative errno. */
int64_t process_start_ticks(uint32_t pid);
/* User ids of a process or of one of its threads; 0 or a negative errno. */
struct process_users {
	uint32_t real;
	uint32_t effective;
};
int process_users(uint32_t tid, struct process_users *users);

/* Map `processes` of a sensor (bpf/lib/process.h), for lookups from any thread. */
int sensor_processes_fd(const struct immune_sensor *sensor);
/* Map `overflowed`, the same. */
int sensor_overflowed_fd(const struct immune_sensor *sensor);

/* Program `on_served` of a sensor, for served_file(). */
int sensor_served_fd(const struct immune_sensor *sensor);
/* Program `on_file`, for file_is() and file_tells(). */
int sensor_file_fd(const struct immune_sensor *sensor);

#endif
