/* SPDX-License-Identifier: MIT */
/* The marks of the fanotify tier. */
#ifndef IMMUNE_ENFORCE_MARK_H
#define IMMUNE_ENFORCE_MARK_H

#include "enforce_left.h"

/* Sets marks in a group: count struct immune_enforce_mark. Returns how many places are left out, or a
 * negative errno, the first one, with all others set; both with a line. */
int enforce_marks_set(int group, const uint8_t *marks, uint32_t count, struct enforce_left *left);

#endif
