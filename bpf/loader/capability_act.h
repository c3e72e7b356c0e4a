/* SPDX-License-Identifier: MIT */
/* Harmless acts of the self-test, and how their records are known. */
#ifndef IMMUNE_CAPABILITY_ACT_H
#define IMMUNE_CAPABILITY_ACT_H

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

/* Makes a file of our own and watches it; the watch act opens it. */
int act_watch_prepare(struct watch *watch);
/* Puts a list of one address in force; the bloom act connects to it. 0 or -errno with a line. */
int act_bloom_prepare(struct immune_sensor *sensor);
/* Removes that file. */
void act_watch_forget(void);

#endif
