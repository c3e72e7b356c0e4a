/* SPDX-License-Identifier: MIT */
/*
 * Watched opens: a fanotify group of the permission class, answered by a thread of
 * this library. Every answer is "allow"; the opener waits only until the file's
 * name and identity are read, so both are what was really opened.
 *
 * Opens by this very process are allowed and counted as filtered.
 */
#ifndef IMMUNE_WATCH_H
#define IMMUNE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "immune_sensor.h"
#include "watch_who.h"

struct watch;

/* Starts the threads; nothing is watched yet. wake_eventfd is written whenever the
 * output queue stops being empty. Returns 0 or a negative errno. */
int watch_start(struct watch **out, const struct watch_maps *maps, int wake_eventfd);

/* Replaces what is watched. entries: count validated struct immune_policy_watch, each with its
 * path. An open that the old and the new set both watch is reported throughout. Returns how many
 * entries could not be set in full, or a negative errno (nothing changed). */
int watch_apply(struct watch *watch, const uint8_t *entries, uint32_t count);

/* Counts opens that may go unseen, and has a loss told of them. Any thread. */
void watch_lost(struct watch *watch, uint32_t count);

/* Moves whole records to buffer; returns bytes. Call until it returns 0 before waiting. */
uint32_t watch_drain(struct watch *watch, uint8_t *buffer, uint32_t capacity);

/* Counters of kind open, source IMMUNE_SOURCE_WATCH. */
void watch_stats(struct watch *watch, struct immune_stats_row *row);

/* Counters of kind change; false while no policy has wanted any. */
bool watch_change_row(struct watch *watch, struct immune_stats_row *row);

/* Counters of neighbours that were to be made quiet: row of kind 0, source IMMUNE_SOURCE_WATCH.
 * ring_full = too many were, unreadable = their file system cannot. */
void watch_quiet_stats(struct watch *watch, struct immune_stats_row *row);

/* Ends the threads and lets every waiting opener go. A null watch is fine. */
void watch_stop(struct watch *watch);

#endif
