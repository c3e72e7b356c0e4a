/* SPDX-License-Identifier: MIT */
/* What becomes of an act, and the record of it. */
#ifndef IMMUNE_VERDICT_H
#define IMMUNE_VERDICT_H

#include "judge.h"

#define IMMUNE_NS_PER_SECOND 1000000000ull
#define IMMUNE_NS_PER_MINUTE (60 * IMMUNE_NS_PER_SECOND)
#define IMMUNE_SIGKILL 9
/* EPERM of include/uapi/asm-generic/errno-base.h. */
#define IMMUNE_EPERM 1

struct verdict_record {
	struct immune_record_header header;
	struct immune_verdict_body body;
	struct immune_slot slots[IMMUNE_VERDICT_SLOT_COUNT];
};

/* Takes one of what a period allows; about so many, as CPUs may begin a period together. */
static __always_inline bool rate_take(struct immune_allowance *rate, __u64 period, __u64 most)
{
	if (!rate)
		return false;
	if (rate->period != period) {
		rate->period = period;
		rate->count = 0;
	}
	return __sync_fetch_and_add(&rate->count, 1) < most;
}

/* The first of the entries that has not expired, from 1; 0 when none is left. */
static __always_inline __u32 entry_first(const struct immune_act *act, __u64 now_ns)
{
	/* Bounded by the entries; a program that judges an act at all has few of them left. */
	for (__u32 i = 0; i < IMMUNE_ENTRIES_MAX; i++) {
		if (!((act->entries >> i) & 1))
			continue;
		if (!act->policy->expires_ns[i] || now_ns < act->policy->expires_ns[i])
			return i + 1;
	}
	return 0;
}

/* Decides, acts where that is a signal, and counts; enum immune_outcome. */
static __always_inline __u32 act_decide(const struct immune_act *act, __u32 entry, __u64 now_ns)
{
	__u32 key = 0, tier = act->tier & (IMMUNE_TIERS_MAX - 1);
	struct immune_enforced_count *count = bpf_map_lookup_elem(&enforced_counts, &tier);
	struct immune_allowance *rate = bpf_map_lookup_elem(&enforced_actions, &key);

	if (act->unplaced) {
		count_one(count, failed);
		return IMMUNE_OUTCOME_FAILED;
	}
	if (!((act->policy->blocking >> (entry - 1)) & 1)) {
		count_one(count, monitored);
		return IMMUNE_OUTCOME_MONITORED;
	}
	if (!rate_take(rate, now_ns / IMMUNE_NS_PER_MINUTE, act->policy->actions_per_minute)) {
		count_one(count, capped);
		return IMMUNE_OUTCOME_CAPPED;
	}
	if (act->tier == IMMUNE_TIER_SIGNAL)
		return IMMUNE_OUTCOME_KILLED;
	count_one(count, refused);
	return IMMUNE_OUTCOME_REFUSED;
}

static __always_inline bool outcome_refuses(__u32 outcome)
{
	return outcome == IMMUNE_OUTCOME_REFUSED;
}

/* Whether one more record may be made on this CPU in this second; counted. */
static __always_inline bool verdict_wanted(struct immune_tally *tally, __u64 now_ns)
{
	__u32 key = 0;
	struct immune_allowance *rate = bpf_map_lookup_elem(&enforced_records, &key);

	count_one(tally, seen);
	if (rate_take(rate, now_ns / IMMUNE_NS_PER_SECOND, IMMUNE_VERDICTS_PER_SECOND_MAX))
		return true;
	count_one(tally, filtered);
	return false;
}

static __always_inline void verdict_fill(struct verdict_record *record,
					 const struct immune_act *act, __u32 entry, __u32 outcome)
{
	__builtin_memset(&record->body, 0, sizeof(record->body) + sizeof(record->slots));
	header_fill_current(&record->header, IMMUNE_KIND_VERDICT);
	record->header.length = sizeof(*record);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_VERDICT_SLOT_COUNT;
	record->body.entry = entry;
	record->body.action = act->action;
	record->body.tier = act->tier;
	record->body.outcome = outcome;
	record->body.mode = act->mode;
	record->body.policy = act->policy->policy;
}

/* Decides, and sends the signal where it is one. */
static __always_inline __u32 act_end(const struct immune_act *act, __u32 entry, __u64 now_ns)
{
	__u32 tier = act->tier & (IMMUNE_TIERS_MAX - 1);
	struct immune_enforced_count *count = bpf_map_lookup_elem(&enforced_counts, &tier);
	__u32 outcome = act_decide(act, entry, now_ns);

	if (outcome != IMMUNE_OUTCOME_KILLED)
		return outcome;
	if (bpf_send_signal(IMMUNE_SIGKILL)) {
		count_one(count, failed);
		return IMMUNE_OUTCOME_FAILED;
	}
	count_one(count, refused);
	return IMMUNE_OUTCOME_KILLED;
}

/* Ends an act on an inode whose path lies in the scratch; gives the scratch back. */
static __always_inline __u32 verdict_file(const struct immune_act *act,
					  struct immune_scratch *scratch, struct inode *inode,
					  __u32 flags)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_VERDICT);
	struct verdict_record *record = (void *)scratch->record;
	__u64 now_ns = bpf_ktime_get_boot_ns();
	__u32 entry = entry_first(act, now_ns);
	__u32 outcome;

	if (!entry) {
		scratch_release(scratch);
		return 0;
	}
	outcome = act_end(act, entry, now_ns);
	if (!verdict_wanted(tally, now_ns)) {
		scratch_release(scratch);
		return outcome;
	}
	verdict_fill(record, act, entry, outcome);
	record->header.flags |= flags;
	record->body.device = BPF_CORE_READ(inode, i_sb, s_dev);
	record->body.inode = BPF_CORE_READ(inode, i_ino);
	scratch->length = sizeof(*record);
	path_append(scratch, &record->slots[IMMUNE_VERDICT_SLOT_PATH]);
	scratch_send(&lifecycle, scratch, tally, IMMUNE_STREAM_LIFECYCLE, true);
	return outcome;
}

/* An act that nobody could judge, as every scratch of the CPU was taken: it goes on, counted. */
static __always_inline void act_lose(const struct immune_act *act)
{
	__u32 tier = act->tier & (IMMUNE_TIERS_MAX - 1);
	struct immune_enforced_count *count = bpf_map_lookup_elem(&enforced_counts, &tier);
	struct immune_tally *tally = tally_of(IMMUNE_KIND_VERDICT);

	count_one(count, failed);
	count_one(tally, seen);
	record_lose(IMMUNE_STREAM_LIFECYCLE);
	count_one(tally, unreadable);
}

/* Ends an act on a file that there was no scratch for: what it is stands for its path. */
static __always_inline __u32 verdict_unwalked(const struct immune_act *act, __u32 device,
					      __u64 inode, __u32 flags)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_VERDICT);
	__u64 now_ns = bpf_ktime_get_boot_ns();
	__u32 entry = entry_first(act, now_ns);
	struct verdict_record record;
	__u32 outcome;

	if (!entry)
		return 0;
	outcome = act_end(act, entry, now_ns);
	if (!verdict_wanted(tally, now_ns))
		return outcome;
	verdict_fill(&record, act, entry, outcome);
	record.header.flags |= IMMUNE_FLAG_UNRESOLVED | flags;
	record.body.device = device;
	record.body.inode = inode;
	record_send(&lifecycle, &record.header, sizeof(record), tally, IMMUNE_STREAM_LIFECYCLE,
		    true);
	return outcome;
}

/* Judges an act on a file to its end; whether the call is to be refused. */
static __always_inline bool file_refused(struct immune_act *act, struct file *file,
					  bool after_exec)
{
	struct immune_scratch *scratch;
	__u32 flags;

	judge_actor(act, after_exec);
	if (!act->entries)
		return false;
	scratch = scratch_take();
	if (!scratch) {
		judge_unwalked(act, file);
		if (act->entries)
			return outcome_refuses(verdict_unwalked(
				act, file_device(file, UNTYPED),
				BPF_CORE_READ(file, f_inode, i_ino),
				file_deleted(file, UNTYPED)));
		if (act->unplaced)
			act_lose(act);
		return false;
	}
	flags = judge_file(act, scratch, file);
	if (!act->entries) {
		scratch_release(scratch);
		return false;
	}
	return outcome_refuses(verdict_file(act, scratch, BPF_CORE_READ(file, f_inode),
					    flags | file_deleted(file, UNTYPED)));
}

/*
 * Judges a second or another name for a file or directory, on one mount: what leaves a tree could be
 * opened outside of it by whoever may not open it there. Within a tree names may change.
 */
static __always_inline bool move_refused(struct immune_act *act, struct dentry *from,
					 struct dentry *to, struct vfsmount *mount)
{
	struct immune_scratch *scratch;
	struct path_found found;
	__u64 stays = 0;

	judge_actor(act, false);
	if (!act->entries)
		return false;
	scratch = scratch_take();
	if (!scratch) {
		act->unplaced = true;
		return outcome_refuses(
			verdict_unwalked(act, BPF_CORE_READ(from, d_inode, i_sb, s_dev),
					 BPF_CORE_READ(from, d_inode, i_ino), 0));
	}
	/* Where nobody knows where it goes, it does not stay. A tree's own name is not in it. */
	if (!(path_walk(scratch, to, mount) & IMMUNE_FLAG_UNRESOLVED))
		stays = path_find(scratch, act->generation).tree;
	/* The path of the record is the one walked last. */
	if (path_walk(scratch, from, mount) & IMMUNE_FLAG_UNRESOLVED) {
		act->entries &= entries_unplaced(act, &scratch->walk, 0);
	} else {
		found = path_find(scratch, act->generation);
		act->entries &= (found.tree | found.below) & act->policy->by_tree & ~stays;
	}
	if (!act->entries) {
		scratch_release(scratch);
		return false;
	}
	return outcome_refuses(verdict_file(act, scratch, BPF_CORE_READ(from, d_inode),
					    scratch->walk.flags));
}

/* Ends an act on an address. */
static __always_inline __u32 verdict_address(const struct immune_act *act, const __u32 words[4],
					     __u16 family, __u16 port, __u32 protocol, __u32 type,
					     __u32 flags)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_VERDICT);
	__u64 now_ns = bpf_ktime_get_boot_ns();
	__u32 entry = entry_first(act, now_ns);
	struct verdict_record record;
	__u32 outcome;

	if (!entry)
		return 0;
	outcome = act_decide(act, entry, now_ns);
	if (!verdict_wanted(tally, now_ns))
		return outcome;
	verdict_fill(&record, act, entry, outcome);
	record.header.flags |= flags;
	record.body.family = family;
	record.body.port = port;
	record.body.protocol = protocol;
	record.body.socket_type = type;
	__builtin_memcpy(record.body.address, words, sizeof(record.body.address));
	record_send(&lifecycle, &record.header, sizeof(record), tally, IMMUNE_STREAM_LIFECYCLE,
		    true);
	return outcome;
}

#endif
