/* SPDX-License-Identifier: MIT */
/* Processes that are guarded or reached into, and the record of another one that meets them. */
#ifndef IMMUNE_GUARD_H
#define IMMUNE_GUARD_H

#include "owner.h"

struct meeting_record {
	struct immune_record_header header;
	struct immune_signal_body body;
};

_Static_assert(sizeof(struct immune_signal_body) == sizeof(struct immune_access_body), "one body");

/* What the map has of a process, when it is guarded: it has a role, or is the sensor's own or a child
 * of that, as its guardians are. */
static __always_inline struct immune_process *guarded(__u32 pid, __u64 start_time_ns)
{
	struct immune_control *policy = control_get();
	struct immune_process *process = bpf_map_lookup_elem(&processes, &pid);

	if (!process || process->start_time_ns != start_time_ns)
		return NULL;
	if (process->role)
		return process;
	if (!policy || !policy->own_pid)
		return NULL;
	return policy->own_pid == pid || policy->own_pid == process->parent_pid ? process : NULL;
}

/*
 * The same of one that is reached into. What a process with a label reaches into beyond its session
 * is told as well, whoever that is: code in it has no label.
 */
static __always_inline struct immune_process *reached(__u32 pid, __u64 start_time_ns)
{
	struct immune_process *process = guarded(pid, start_time_ns), *actor;
	__u32 own = bpf_get_current_pid_tgid() >> 32;

	if (process)
		return process;
	actor = bpf_map_lookup_elem(&processes, &own);
	if (!actor || (!actor->role && !actor->session))
		return NULL;
	process = bpf_map_lookup_elem(&processes, &pid);
	if (!process || process->start_time_ns != start_time_ns)
		return NULL;
	return process->session != actor->session ? process : NULL;
}

/*
 * Tells that the process that runs met a guarded one: of kind signal with its number, or access with
 * the way. flags: those of the header beside its own; with IMMUNE_FLAG_UNRESOLVED it was not the one
 * that runs, and nobody knows who.
 */
static __always_inline void tell(const struct immune_process *target, __u32 pid, __u32 kind,
				 __u32 number, __u32 flags)
{
	struct immune_tally *tally = tally_of(kind);
	struct meeting_record record = {};

	if (!kind_wanted(tally, kind))
		return;
	if (flags & IMMUNE_FLAG_UNRESOLVED)
		header_fill_owner(&record.header, NULL, kind);
	else
		header_fill_current(&record.header, kind);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.header.flags |= flags;
	record.body.signal = number;
	record.body.target_pid = pid;
	record.body.target_start_time_ns = target->start_time_ns;
	record.body.target_session = target->session;
	record.body.target_role = target->role;
	record_send(&lifecycle, &record.header, sizeof(record), tally,
		    IMMUNE_STREAM_LIFECYCLE, true);
}

#endif
