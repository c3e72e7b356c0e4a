/* SPDX-License-Identifier: MIT */
/* What bpf/events/served.bpf.c answers to the loader. */
#ifndef IMMUNE_SERVED_OUTCOME_H
#define IMMUNE_SERVED_OUTCOME_H

enum served_outcome {
	SERVED_NOT = 0,
	SERVED_BY_A_PROGRAM = 1,
	SERVED_NO_FILE = 2,
	SERVED_CANNOT_BE_TOLD = 3,
};

#endif
