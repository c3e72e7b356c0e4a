/* SPDX-License-Identifier: MIT */
/* Harmless acts that a tier must refuse, each on a target of its own. */
#ifndef IMMUNE_ENFORCE_TRIAL_H
#define IMMUNE_ENFORCE_TRIAL_H

#include "file_identity.h"
#include "internal.h"

struct trial {
	uint32_t tier; /* enum immune_tier */
	uint16_t action; /* enum immune_action */
	bool needs_file; /* fanotify sees no file that lives in memory alone */
};

struct trial_target {
	int fd; /* of the file; -1 = none */
	struct file_identity file; /* as the tier has it */
	uint8_t address[4]; /* network order, in 127.0.0.0/8 */
	char path[64]; /* empty where it lives in memory alone */
};

/* Makes the target of a trial; 0 or -errno with a line. */
int trial_prepare(struct trial_target *target, const struct trial *trial);
/* Has a child act on it; status as of wait(2): exit code 0 says that it went on. */
int trial_act(const struct trial_target *target, uint16_t action, int *status);
void trial_forget(struct trial_target *target);

#endif
