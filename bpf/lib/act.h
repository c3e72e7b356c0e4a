/* SPDX-License-Identifier: MIT */
/* The record of an act: of what needs a privilege, or made memory executable. */
#ifndef IMMUNE_ACT_H
#define IMMUNE_ACT_H

#include "record.h"

struct act_record {
	struct immune_record_header header;
	struct immune_act_body body;
	struct immune_slot slots[IMMUNE_ACT_SLOT_COUNT];
	__u8 bytes[];
};

/* Appends text of the caller: another of its threads may have changed it meanwhile. */
static __always_inline void text_append(struct immune_scratch *scratch, struct immune_slot *slot,
					__u64 address)
{
	__u64 at = scratch->length;
	long length;

	/* Holds by what was appended before; the verifier wants it on the final value. */
	barrier_var(at);
	if (at > IMMUNE_RECORD_BYTES_MAX - IMMUNE_PATH_BYTES_MAX)
		return;
	length = bpf_probe_read_user_str(&scratch->record[at], IMMUNE_PATH_BYTES_MAX,
					 (void *)address);
	if (length <= 1)
		return;
	slot->offset = at;
	slot->length = length - 1; /* without its NUL */
	slot->original_length = length - 1;
	scratch->length = at + length - 1;
}

/* Where a record of an act is made, or NULL: nobody wants it, or there is no room. */
static __always_inline struct immune_scratch *act_scratch(struct immune_tally *tally)
{
	struct immune_scratch *scratch;

	if (!kind_wanted(tally, IMMUNE_KIND_ACT))
		return NULL;
	scratch = scratch_take();
	if (!scratch) {
		record_lose(IMMUNE_STREAM_LIFECYCLE);
		count_one(tally, unreadable);
	}
	return scratch;
}

/* Namespaces that a task has now. */
static __always_inline void spaces_fill(struct immune_act_body *body, struct task_struct *task)
{
	struct nsproxy *spaces = BPF_CORE_READ(task, nsproxy);

	body->mount_namespace = BPF_CORE_READ(spaces, mnt_ns, ns.inum);
	body->pid_namespace = BPF_CORE_READ(spaces, pid_ns_for_children, ns.inum);
	body->network_namespace = BPF_CORE_READ(spaces, net_ns, ns.inum);
	body->user_namespace = BPF_CORE_READ(task, cred, user_ns, ns.inum);
}

static __always_inline void act_fill(struct act_record *record, struct task_struct *task,
				     __u32 number, __u32 what, __u32 flags)
{
	header_fill(&record->header, task, process_of(task, UNTYPED), IMMUNE_KIND_ACT, UNTYPED);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_ACT_SLOT_COUNT;
	record->header.flags |= flags;
	__builtin_memset(&record->body, 0, sizeof(record->body));
	record->body.act = what;
	record->body.system_call = number;
	spaces_fill(&record->body, task);
	__builtin_memset(record->slots, 0, sizeof(record->slots));
}

#endif
