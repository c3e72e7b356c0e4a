/* SPDX-License-Identifier: MIT */
/* The marks of the fanotify tier. */
#ifndef IMMUNE_ENFORCE_MARK_H
#define IMMUNE_ENFORCE_MARK_H

#include "enforce_left.h"
#include "number_set.h"

/* A group and its marks. */
struct enforce_marking {
	int group;
	int served; /* program `on_served` */
	/* Of the last time: */
	struct enforce_left left;
	/* File systems whose programs are asked about wherever they lie; kernel encoding, and one. */
	struct number_set devices;
};

/* Sets marks: count struct immune_enforce_mark. Returns how many places are left out, or a negative
 * errno, the first one, with all others set; both with a line. */
int enforce_marks_set(struct enforce_marking *marking, const uint8_t *marks, uint32_t count);

#endif
