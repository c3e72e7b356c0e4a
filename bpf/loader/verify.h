/* SPDX-License-Identifier: MIT */
/* Whether the kernel still has what the sensor gave it. */
#ifndef IMMUNE_VERIFY_H
#define IMMUNE_VERIFY_H

#include "sensor.h"

/* Notes what marks, terms and networks hold now, to be compared with later. Under policy_lock. */
void verify_note(struct immune_sensor *sensor);

struct bpf_map;
struct bpf_program;
struct bpf_link;

/* A sum over the entries of a map that does not depend on their order. */
uint64_t verify_sum(const struct bpf_map *map);

/* True when the link runs this program, and is not one that somebody forced off its cgroup. */
bool verify_link(const struct bpf_program *program, const struct bpf_link *link);

/* Attaches a program in the place of a link that does not hold; false when the kernel refuses. */
bool verify_attach(const struct immune_sensor *sensor, struct bpf_program *program,
		   struct bpf_link **link);

/* What was found, as far as there are rows for it. */
struct verify_found {
	struct immune_verify_row *rows;
	uint32_t capacity;
	uint32_t count;
};

void verify_found(struct verify_found *found, uint32_t what, bool restored, const char *name);

#endif
