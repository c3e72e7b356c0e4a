/* SPDX-License-Identifier: MIT */
/*
 * Limits on the bulk records of one process and of one cgroup, by kind: what is over one in a second
 * is folded, that is counted with whose it was and from when to when. Lifecycle records never are.
 */
#ifndef IMMUNE_RATE_H
#define IMMUNE_RATE_H

#include "count.h"

/* Counts a record against one limit; true when it is over it. */
static __always_inline bool rate_over(const struct immune_rate_key *key, __u32 limit,
				      const struct immune_record_header *header)
{
	struct immune_rate fresh = { .window_ns = header->time_ns, .count = 1 };
	struct immune_rate *rate = bpf_map_lookup_elem(&rates, key);
	struct immune_tally *tally;

	if (!rate) {
		tally = tally_of(IMMUNE_TALLY_RATES);
		fresh.cgroup_id = header->cgroup_id;
		count_one(tally, seen);
		/* Without room there is no limit, and that is counted. */
		if (bpf_map_update_elem(&rates, key, &fresh, BPF_NOEXIST))
			count_one(tally, ring_full);
		else
			count_one(tally, submitted);
		return false;
	}
	/* Two CPUs may both begin a window: then that second lets a few more through. */
	if (header->time_ns - rate->window_ns >= IMMUNE_RATE_WINDOW_NS) {
		rate->window_ns = header->time_ns;
		rate->count = 0;
	}
	/* Read apart, as older kernels have no addition that gives what was there (atomic.h). */
	__sync_fetch_and_add(&rate->count, 1);
	if (rate->count <= limit)
		return false;
	if (!rate->first_ns)
		rate->first_ns = header->time_ns;
	__sync_fetch_and_add(&rate->folded, 1);
	rate->last_ns = header->time_ns;
	return true;
}

/* Whether a record is over a limit of its process or of its cgroup. */
static __always_inline bool rate_folds(const struct immune_record_header *header)
{
	struct immune_control *policy = control_get();
	struct immune_rate_key key = { .kind = header->kind };

	if (!policy)
		return false;
	/* Without an owner there is nobody to count it for. */
	if (policy->process_rate && header->pid) {
		key.scope = IMMUNE_RATE_PROCESS;
		key.pid = header->pid;
		key.id = header->start_time_ns;
		if (rate_over(&key, policy->process_rate, header))
			return true;
	}
	if (!policy->cgroup_rate || !header->cgroup_id)
		return false;
	key.scope = IMMUNE_RATE_CGROUP;
	key.pid = 0;
	key.id = header->cgroup_id;
	return rate_over(&key, policy->cgroup_rate, header);
}

#endif
