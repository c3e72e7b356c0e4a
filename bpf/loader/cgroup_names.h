/* SPDX-License-Identifier: MIT */
/* Names of cgroups: a context record before the first process of each. */
#ifndef IMMUNE_CGROUP_NAMES_H
#define IMMUNE_CGROUP_NAMES_H

#include <stdint.h>

/* Room that the records of one round may take. */
#define CGROUP_ROOM_BYTES (16u << 10)

struct cgroup_names;

/* root: descriptor of the cgroup v2 root, which must outlive this. Null when memory is short. */
struct cgroup_names *cgroup_names_new(int root);
void cgroup_names_free(struct cgroup_names *names);

/* Puts records of cgroups that were not met before in front of the records from `from` to `used`;
 * there is room for CGROUP_ROOM_BYTES more. Null for names: does nothing. Returns the new end. */
uint32_t cgroup_names_insert(struct cgroup_names *names, uint8_t *buffer, uint32_t from,
			     uint32_t used);

#endif
