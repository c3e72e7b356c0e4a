// SPDX-License-Identifier: MIT
/*
 * Changes of user and group ids by the set*uid and set*gid calls, at their exit. Attached only
 * while a policy asks for it: a hook on system calls slows all of them.
 */
#include "label.h"
#include "record.h"
#include "syscall.h"

struct identity_record {
	struct immune_record_header header;
	struct immune_identity_body body;
};

static __always_inline bool ids_equal(const struct immune_process *a,
				      const struct immune_process *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->real_uid == b->real_uid &&
	       a->real_gid == b->real_gid && a->saved_uid == b->saved_uid &&
	       a->saved_gid == b->saved_gid && a->fs_uid == b->fs_uid && a->fs_gid == b->fs_gid;
}

static __always_inline void body_fill(struct immune_identity_body *body,
				      const struct immune_process *fresh, __u32 call)
{
	body->real_uid = fresh->real_uid;
	body->real_gid = fresh->real_gid;
	body->saved_uid = fresh->saved_uid;
	body->saved_gid = fresh->saved_gid;
	body->system_call = call;
	body->reserved = 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_identity_exit, struct pt_regs *registers, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 number = call_number(registers);
	struct identity_record record = {};
	struct immune_process fresh = {};
	struct immune_tally *tally;
	struct immune_process *old;
	bool compat;
	__u32 call;
	__u32 pid;

	if (result < 0)
		return 0;
	compat = call_is_compat(task, &number, UNTYPED);
	call = call_sets_ids(number, call_table_is_native(task, UNTYPED));
	if (!call)
		return 0;
	pid = BPF_CORE_READ(task, tgid);
	old = bpf_map_lookup_elem(&processes, &pid);
	task_describe(task, &fresh, UNTYPED);
	header_fill(&record.header, task, old, IMMUNE_KIND_IDENTITY, UNTYPED);
	/* A process that the map does not know: the change is told, but not what was before. */
	record.body.old_uid = record.body.old_gid = 0xffffffff;
	if (old && old->start_time_ns == fresh.start_time_ns) {
		if (ids_equal(old, &fresh))
			return 0;
		record.body.old_uid = old->uid;
		record.body.old_gid = old->gid;
		ids_refresh(old, &fresh);
	} else {
		record.header.flags |= IMMUNE_FLAG_UNRESOLVED;
		label_find(&fresh, task);
		process_put(pid, &fresh, BPF_ANY);
	}
	tally = tally_of(IMMUNE_KIND_IDENTITY);
	if (!kind_wanted(tally, IMMUNE_KIND_IDENTITY))
		return 0;
	if (compat)
		record.header.flags |= IMMUNE_FLAG_COMPAT;
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	body_fill(&record.body, &fresh, call);
	record_send(&lifecycle, &record.header, sizeof(record), tally,
		    IMMUNE_STREAM_LIFECYCLE, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
