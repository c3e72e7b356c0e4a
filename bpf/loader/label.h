/* SPDX-License-Identifier: MIT */
/* Roles in the kernel: which programs have one, and labels that user space found out. */
#ifndef IMMUNE_LABEL_APPLY_H
#define IMMUNE_LABEL_APPLY_H

#include <stdint.h>

struct immune_sensor;

/* Gives the kernel the marks and terms of a policy that was checked; 0 or -errno. Programs that
 * start meanwhile get no role by their marks. */
int roles_apply(struct immune_sensor *sensor, const uint8_t *roles, uint32_t mark_count,
		uint32_t term_count);

#endif
