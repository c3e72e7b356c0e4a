/* SPDX-License-Identifier: MIT */
/*
 * Watched paths that are devices, by their numbers in the map `devices`. Below /dev nodes that come
 * later count too, and folders: drivers make them on first use.
 */
#ifndef IMMUNE_DEVICE_H
#define IMMUNE_DEVICE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "immune_sensor.h"

/* Folders below one that is watched as a tree. */
#define DEVICE_DEPTH_MAX 4

struct devices {
	int map; /* `devices` */
	int notify; /* readable when a node came into one of the folders */
	uint32_t count; /* watches below /dev */
	uint8_t *entries; /* these, as a policy has them */
	bool missed[IMMUNE_WATCHES_MAX]; /* of these, known as not set in full */
	uint32_t missed_later; /* how many of those since the policy was set */
	char missed_last[IMMUNE_DEVICE_PATH_BYTES + 1]; /* the path of one */
	bool stale; /* a node came, and was not looked for yet: the poll's */
};

/* Puts the devices among validated policy entries into the map, then takes out those of before.
 * Returns how many watches could not be set in full, or a negative errno. */
int devices_apply(struct devices *devices, const uint8_t *entries, uint32_t count);

/* Takes note that a node came, when `notify` is readable. */
void devices_note(struct devices *devices);

/* Adds the devices that are there by now; of those that are gone room is made where there is none.
 * Returns how many watches could not be set in full for the first time since the policy was set. */
uint32_t devices_again(struct devices *devices);

/* Says in the line of immune_error() which watch was the last of these. */
void devices_tell(const struct devices *devices);

/* Whether a folder is /dev or below it on its file system: nodes there are followed here. */
bool devices_follow(const char *folder);

/* Whether any device is watched. */
bool devices_any(const struct devices *devices);

void devices_free(struct devices *devices);

#endif
