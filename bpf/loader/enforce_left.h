/* SPDX-License-Identifier: MIT */
/* What of a policy's places nobody is asked about, by why. */
#ifndef IMMUNE_ENFORCE_LEFT_H
#define IMMUNE_ENFORCE_LEFT_H

#include <stdint.h>

#include "immune_enforce.h"

struct enforce_left {
	struct immune_left_row rows[IMMUNE_LEFT_COUNT]; /* by enum immune_left_what */
};

/* Counts places of which `path` is one; the first one is kept with its reason. */
void enforce_left_add(struct enforce_left *left, enum immune_left_what what, uint32_t count,
		      const char *path, const char *reason);

/* All of them. */
int enforce_left_count(const struct enforce_left *left);

/* Says so in the line of immune_error(), the worst first. */
void enforce_left_tell(const struct enforce_left *left);

#endif
