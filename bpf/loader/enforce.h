/* SPDX-License-Identifier: MIT */
/* Enforcement itself, for the files of the loader that work on it. */
#ifndef IMMUNE_ENFORCE_INTERNAL_H
#define IMMUNE_ENFORCE_INTERNAL_H

#include <pthread.h>

#include "immune_enforce.h"
#include "internal.h"

#include "enforcement.h"

/* Most links of one enforcement. */
#define ENFORCE_LINKS_MAX 16
#define ENFORCE_TIERS_MAX 8

struct enforce_bpf;
struct enforce_watch;
struct bpf_link;
struct bpf_program;

struct immune_enforce {
	struct immune_sensor *sensor;
	struct enforce_bpf *programs;
	struct immune_enforce_options options;
	struct immune_enforced now; /* as the kernel has it */
	pthread_mutex_t lock; /* held by what changes it */
	struct bpf_link *links[ENFORCE_LINKS_MAX];
	struct bpf_program *link_programs[ENFORCE_LINKS_MAX];
	uint32_t link_tiers[ENFORCE_LINKS_MAX];
	uint32_t link_count;
	struct enforce_watch *watch; /* of fanotify; null without that tier */
	bool took_over;
	uint64_t set; /* name of its own set of pins; 0 = none */
	/* What the policy in force has in the kernel: a sum a table, and its entries. */
	uint64_t sums[IMMUNE_TABLE_COUNT];
	struct immune_enforcement policy;
};

#define TIER_BIT(tier) (1u << IMMUNE_TIER_##tier)

/* Fds of the tables, in the order of enum immune_table. */
int enforce_table_fd(const struct immune_enforce *enforce, enum immune_table table);
int enforce_learned_fd(const struct immune_enforce *enforce);

/* Pins links and maps under a name of their own in the folder; 0 or -errno with a line. */
int enforce_pin(struct immune_enforce *enforce);
/* Takes its own pins away; without any it does nothing. */
void enforce_unpin(struct immune_enforce *enforce);
/* Whether the pin of a link leads to it; of number link_count, the ring's. */
bool enforce_pin_holds(const struct immune_enforce *enforce, uint32_t index);
/* Pins it once more in the place of what lies there; 0 or -errno. */
int enforce_pin_again(const struct immune_enforce *enforce, uint32_t index);
/* Puts in force, by one store; 0 or -errno with a line. */
int enforce_publish(struct immune_enforce *enforce, const struct immune_enforced *next);
/* Notes what the kernel holds now, to be compared with later. Under the lock. */
void enforce_note(struct immune_enforce *enforce);
/* Takes over what others pinned in the folder and removes it; `own` stays. */
int enforce_take_over(struct immune_enforce *enforce);

#endif
