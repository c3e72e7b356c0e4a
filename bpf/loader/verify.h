/* SPDX-License-Identifier: MIT */
/* Whether the kernel still has what the sensor gave it. */
#ifndef IMMUNE_VERIFY_H
#define IMMUNE_VERIFY_H

#include "sensor.h"

/* Notes what marks and terms hold now, to be compared with later. Under policy_lock. */
void verify_note(struct immune_sensor *sensor);

#endif
