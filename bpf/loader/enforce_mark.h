/* SPDX-License-Identifier: MIT */
/* The marks of the fanotify tier. */
#ifndef IMMUNE_ENFORCE_MARK_H
#define IMMUNE_ENFORCE_MARK_H

#include "immune_enforce.h"

/* Sets marks in a group: count struct immune_enforce_mark. Returns how many places are left out, as a
 * program serves them (FUSE), or as one directory cannot be marked, or a negative errno, the first
 * one, with all others set; both with a line. */
int enforce_marks_set(int group, const uint8_t *marks, uint32_t count);

#endif
