/* SPDX-License-Identifier: MIT */
/*
 * The process that reads what a program may serve (bpf/hasher/hasher.c). One that waits for such a
 * program may be beyond SIGKILL: it is left behind, and nobody waits for its end.
 */
#ifndef IMMUNE_HASH_HELPER_H
#define IMMUNE_HASH_HELPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "hasher.h"

/* Without a sign of it for so long the file stands still. */
#define HASH_HELPER_STILL_MS 3000
/* How long one file may take. */
#define HASH_HELPER_FILE_MS 30000
/* Of this process, that were killed and have not ended; with so many none is started. */
#define HASH_HELPERS_LEFT_MAX 3

/* One thread's. All 0 but `stop`: none runs. */
struct hash_helper {
	pid_t pid; /* 0 = none */
	int socket;
	int stop; /* readable when nobody is to wait any more */
};

/* Asks about a file; starts a helper where none runs. 0: answered. ETIME: it stood still or took too
 * long, and the helper is left. EBUSY: too many are left. ECANCELED: `stop`. Another -errno: there is
 * no helper, or it ended. */
int hash_helper_ask(struct hash_helper *helper, const struct hasher_question *question, int place,
		    struct hasher_answer *answer);

/* Ends it; one that cannot end is left. */
void hash_helper_end(struct hash_helper *helper);

/* How many were killed and have not ended. */
int hash_helpers_left(void);

#endif
