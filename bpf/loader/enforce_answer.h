/* SPDX-License-Identifier: MIT */
/* Judges one open or exec of the fanotify tier, by the tables of the enforcing programs. */
#ifndef IMMUNE_ENFORCE_ANSWER_H
#define IMMUNE_ENFORCE_ANSWER_H

#include <stdatomic.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "enforce.h"
#include "guardian.h"
#include "watch_record.h"

/* Largest program that is hashed while its exec waits, and how long that may take: the guardian's
 * patience is a second. */
#define ANSWER_HASH_BYTES_MAX (64u << 20)
#define ANSWER_HASH_NS_MAX 700000000ull

struct enforce_judge {
	struct immune_enforce *enforce;
	struct immune_enforcement policy;
	uint32_t generation;
	int proc_self_fd; /* /proc/self/fd */
	const struct immune_enforce_hash *hashes;
	uint32_t hash_count;
	pthread_mutex_t lock; /* guards what follows */
	uint64_t minute, used; /* of the policy's actions */
	_Atomic uint64_t judged, refused, monitored, capped, failed, hashed;
};

/* One act while it is judged. */
struct enforce_act {
	struct watch_record about;
	struct statx file;
	uint64_t entries; /* that may still be for it */
	uint64_t found; /* entries that its file is in */
	uint64_t roles; /* that the process has had */
	pid_t opener;
	uint16_t action; /* enum immune_action */
	uint16_t entry; /* the one that it belongs to, from 1; 0 = none */
	uint16_t outcome; /* enum immune_outcome, if the answer comes in time */
};

/* Takes note of the policy of a generation; 0 or -errno. */
int judge_begin(struct enforce_judge *judge, uint32_t generation);

/* Counts acts that nobody could judge. */
void judge_lose(struct enforce_judge *judge, uint64_t count);

enum judged {
	JUDGED_GOES_ON,
	JUDGED_REFUSED,
	JUDGED_HASH, /* judge_hash() decides */
};

/* Judges an act without waiting for anybody. */
enum judged judge_event(struct enforce_judge *judge, const struct fanotify_event_metadata *event,
			struct enforce_act *act);

/* Hashes the program and ends its judgement, on any thread; true when it is to be refused. */
bool judge_hash(struct enforce_judge *judge, struct enforce_act *act, int fd);

/* Counts and tells the verdict, when it is known whether the answer counted. */
void judge_end(struct enforce_judge *judge, struct enforce_act *act,
	       enum guardian_answered answered);

#endif
