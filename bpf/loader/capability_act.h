/* SPDX-License-Identifier: MIT */
/* Harmless acts of the self-test, and how their records are known. */
#ifndef IMMUNE_CAPABILITY_ACT_H
#define IMMUNE_CAPABILITY_ACT_H

#include <sys/types.h>

#include "internal.h"

struct immune_record_header;
struct immune_sensor;
struct watch;

struct act {
	int (*perform)(void); /* 0 or -errno; null when there is nothing to do */
	bool (*seen)(const uint8_t *record, const struct immune_record_header *header);
};

extern const struct act act_exec;
extern const struct act act_snapshot;
extern const struct act act_connect;
extern const struct act act_watch;
extern const struct act act_identity;
extern const struct act act_open;
extern const struct act act_flow;
extern const struct act act_dns;
extern const struct act act_signal;
extern const struct act act_bloom;
extern const struct act act_access;
extern const struct act act_act;
extern const struct act act_device;
extern const struct act act_change;
extern const struct act act_hash;
extern const struct act act_ring_open;

/* Waits for a child; 0 or -errno. */
int act_reap(pid_t child);
/* Starts a program that does nothing, and waits for it; 0 or -errno. */
int act_exec_perform(void);

/* Makes a file of our own and watches it; the watch act opens it, the change act changes it. */
int act_watch_prepare(struct watch *watch);
/* Its path; empty when there is none. */
const char *act_watched(void);
/* Puts a list of one address in force; the bloom act connects to it. 0 or -errno with a line. */
int act_bloom_prepare(struct immune_sensor *sensor);
/* Attach what the acts of the same names need; 0 or -errno with a line, also where a program of it
 * was not loaded as this kernel lacks what it stands on. */
int act_calls_prepare(struct immune_sensor *sensor);
int act_device_prepare(struct immune_sensor *sensor);
int act_hash_prepare(struct immune_sensor *sensor);
int act_ring_prepare(struct immune_sensor *sensor);
/* Removes the watched file. */
void act_watch_forget(void);

#endif
