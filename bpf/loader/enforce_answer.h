/* SPDX-License-Identifier: MIT */
/* Judges one open or exec of the fanotify tier, by the tables of the enforcing programs. */
#ifndef IMMUNE_ENFORCE_ANSWER_H
#define IMMUNE_ENFORCE_ANSWER_H

#include <stdatomic.h>
#include <sys/fanotify.h>

#include "enforce.h"

/* Largest program that is hashed while its exec waits. */
#define ANSWER_HASH_BYTES_MAX (64u << 20)

struct enforce_judge {
	struct immune_enforce *enforce;
	struct immune_enforcement policy;
	uint32_t generation;
	int proc_self_fd; /* /proc/self/fd */
	const struct immune_enforce_hash *hashes;
	uint32_t hash_count;
	uint64_t minute, used; /* of the policy's actions */
	_Atomic uint64_t judged, refused, monitored, capped;
};

/* Takes note of the policy in force; 0 or -errno. */
int judge_begin(struct enforce_judge *judge);

/* True when the act is to be refused; its verdict is on its way then, or where it was only told. */
bool judge_event(struct enforce_judge *judge, const struct fanotify_event_metadata *event);

#endif
