/* SPDX-License-Identifier: MIT */
/*
 * Changes of watched files and names, by fanotify's notification class: told afterwards, nobody
 * waits. One thread follows names, sets marks and writes the records.
 */
#ifndef IMMUNE_WATCH_CHANGE_H
#define IMMUNE_WATCH_CHANGE_H

#include <stdint.h>

#include "immune_sensor.h"
#include "watch_who.h"

struct watch_change;

/* Starts the thread; nothing is watched yet. wake_eventfd is written whenever the output queue
 * stops being empty. Returns 0 or a negative errno. */
int watch_change_start(struct watch_change **out, const struct watch_maps *maps, int wake_eventfd);

/* Replaces what is watched by those of the validated entries that want changes. Returns how many
 * could not be set in full, or a negative errno (nothing changed). */
int watch_change_apply(struct watch_change *change, const uint8_t *entries, uint32_t count);

/* Moves whole records to buffer; returns bytes. */
uint32_t watch_change_drain(struct watch_change *change, uint8_t *buffer, uint32_t capacity);

/* Counters of kind change, source IMMUNE_SOURCE_CHANGE. */
void watch_change_stats(struct watch_change *change, struct immune_stats_row *row);

/* Ends the thread. A null pointer is fine. */
void watch_change_stop(struct watch_change *change);

#endif
