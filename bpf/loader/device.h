/* SPDX-License-Identifier: MIT */
/* Watched paths that are devices. */
#ifndef IMMUNE_DEVICE_H
#define IMMUNE_DEVICE_H

#include <linux/types.h>
#include <stdint.h>

#include "control.h"
#include "immune_sensor.h"

/* Puts the devices among validated policy entries into the map `devices`, in place of those before.
 * Returns how many there are, or a negative errno. */
int devices_apply(int map, const uint8_t *entries, uint32_t count);

#endif
