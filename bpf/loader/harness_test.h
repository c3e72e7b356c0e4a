/* SPDX-License-Identifier: MIT */
/* What the live tests of the loader share: a sensor, its records, its counters. */
#ifndef IMMUNE_HARNESS_TEST_H
#define IMMUNE_HARNESS_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <linux/types.h>

#include "immune_record.h"
#include "immune_sensor.h"

#define BATCH_BYTES (256u << 10)
#define ROWS_MAX 4096
/* A record that did not come by then does not come. */
#define PATIENCE_MS 60000

/* Ends the test with a line that says what did not hold. */
#define must(condition, ...)                                                    \
	do {                                                                    \
		if (!(condition)) {                                             \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
			fprintf(stderr, __VA_ARGS__);                           \
			fputc('\n', stderr);                                    \
			exit(1);                                                \
		}                                                               \
	} while (0)

/* Exit code of a test that this kernel or machine has nothing for (automake's). */
#define SKIPPED 77

/* Ends the test with a line that says what is missing. */
#define skip(what)                              \
	do {                                    \
		fprintf(stderr, "%s\n", what);  \
		exit(SKIPPED);                  \
	} while (0)

typedef void (*record_visitor)(const struct immune_record_header *record, void *state);

struct immune_sensor *sensor_with(uint32_t lifecycle_bytes, uint32_t bulk_bytes);
/* Refuses by fanotify alone, nothing before a policy is set. */
struct immune_enforce *enforce_by_fanotify(struct immune_sensor *sensor);
void policy_set(struct immune_sensor *sensor, uint32_t flags, uint64_t kind_mask);
/* The same without flags, and with an interval, in microseconds. */
void policy_paced(struct immune_sensor *sensor, uint64_t kind_mask, uint32_t us);

/* Polls once and shows each record; returns how many. */
int poll_once(struct immune_sensor *sensor, uint32_t timeout_ms, record_visitor visit, void *state);
/* Polls until `done` is set by the visitor or patience ends. */
void poll_until(struct immune_sensor *sensor, record_visitor visit, void *state, const bool *done);
/* Polls until nothing comes any more. */
void poll_out(struct immune_sensor *sensor, record_visitor visit, void *state);

/* Sum of all rows of a kind (0 = every kind of that ring) and of sources from..to. */
struct immune_counters counters_of(struct immune_sensor *sensor, uint16_t kind, uint16_t from,
				   uint16_t to, uint64_t *sequences);

const void *body_of(const struct immune_record_header *record);
const uint8_t *slot_of(const struct immune_record_header *record, int index, uint32_t *length);
bool slot_is(const struct immune_record_header *record, int index, const char *text);

/* Starts a program and waits for it; its pid. */
pid_t run_and_wait(const char *program, char *const arguments[]);
/* Runs a function in a child and waits; its wait status. */
pid_t child_of(void (*body)(void *), void *argument, int *status);

double seconds_now(void);

#endif
