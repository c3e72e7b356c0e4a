/* SPDX-License-Identifier: MIT */
/* Making a record: take a scratch, fill it, submit it. Every path ends in one counter. */
#ifndef IMMUNE_RECORD_MAKING_H
#define IMMUNE_RECORD_MAKING_H

#include "atomic.h"
#include "count.h"
#include "rate.h"
#include "task.h"

/* Takes a sequence number and names the source that it belongs to; false when there is none. */
static __always_inline bool record_number(struct immune_record_header *header, __u32 stream,
					  struct immune_channel *channel)
{
	__u32 cpu = bpf_get_smp_processor_id();

	header->source = stream == IMMUNE_STREAM_BULK ? IMMUNE_SOURCE_BULK + cpu : cpu;
	if (!channel)
		return true;
	header->sequence = number_take(channel);
	return header->sequence;
}

/* Takes a number that no record will carry, so that the loss is a visible gap. */
static __always_inline void record_lose(__u32 stream)
{
	struct immune_channel *channel = bpf_map_lookup_elem(&channels, &stream);

	if (channel)
		number_leave(channel);
}

/* A free scratch of this CPU, or NULL. */
static __always_inline struct immune_scratch *scratch_take(void)
{
	/* Bounded by the scratches: one try each. */
#pragma unroll
	for (__u32 i = 0; i < IMMUNE_SCRATCHES; i++) {
		__u32 key = i;
		struct immune_scratch *scratch = bpf_map_lookup_elem(&scratches, &key);

		if (scratch && flag_take(&scratch->busy)) {
			scratch->place = i;
			return scratch;
		}
	}
	return NULL;
}

/* The scratch that a global function is told of by its place. */
static __always_inline struct immune_scratch *scratch_at(__u32 place)
{
	return bpf_map_lookup_elem(&scratches, &place);
}

static __always_inline void scratch_release(struct immune_scratch *scratch)
{
	flag_release(&scratch->busy);
}

/* What the map knows of the process of a task, or of an older one with its pid; or NULL. */
static __always_inline struct immune_process *process_of(struct task_struct *task, bool typed)
{
	__u32 pid = READ(typed, task, tgid);

	return bpf_map_lookup_elem(&processes, &pid);
}

/*
 * Fills the header from a task and what is known of its process (or NULL); body and slots are as
 * long as the kind's struct says.
 */
static __always_inline void header_fill(struct immune_record_header *header,
					struct task_struct *task,
					const struct immune_process *process, __u32 kind,
					bool typed)
{
	const struct cred *cred = READ(typed, task, cred);
	struct task_struct *parent = READ(typed, task, real_parent);

	header->header_length = sizeof(*header);
	header->body_length = 0;
	header->kind = kind;
	header->slot_count = 0;
	header->version = IMMUNE_RECORD_VERSION;
	header->flags = task_is_kernel_thread(task, typed) ? IMMUNE_FLAG_KERNEL_THREAD : 0;
	header->pid = READ(typed, task, tgid);
	header->tid = READ(typed, task, pid);
	header->time_ns = bpf_ktime_get_boot_ns();
	header->sequence = 0;
	header->start_time_ns = task_start_time(task, typed);
	header->parent_pid = READ(typed, parent, tgid);
	header->parent_start_time_ns = task_start_time(parent, typed);
	header->uid = READ(typed, cred, euid.val);
	header->gid = READ(typed, cred, egid.val);
	header->cgroup_id = task_cgroup_id(task, typed);
	header->session = 0;
	header->role = 0;
	header->reserved = 0;
	header->reserved2 = 0;
	if (process && process->start_time_ns == header->start_time_ns) {
		header->session = process->session;
		header->role = process->role;
	}
}

/* Fills the header from the task that runs, by the cheapest way that this kernel has. */
static __always_inline void header_fill_current(struct immune_record_header *header, __u32 kind)
{
	struct task_struct *task;

	if (current_is_typed()) {
		task = bpf_get_current_task_btf();
		header_fill(header, task, process_of(task, TYPED), kind, TYPED);
	} else {
		task = (void *)bpf_get_current_task();
		header_fill(header, task, process_of(task, UNTYPED), kind, UNTYPED);
	}
}

/* Whether the reader is waiting, and not gathering what comes until its next look. */
static __always_inline bool reader_waits(__u64 now_ns)
{
	__u32 key = 0;
	const struct immune_reader *waiting = bpf_map_lookup_elem(&reader, &key);

	return !waiting || now_ns >= waiting->quiet_until_ns;
}

/*
 * Flags of a submit. Without a wake-up by default (a wake-up costs more than the rest), with one
 * when the ring fills, for a verdict, or for a record that somebody waits for; each at most once an
 * interval.
 */
static __always_inline __u64 wake_flags(void *ring, struct immune_channel *channel, bool awaited,
					const struct immune_record_header *header)
{
	struct immune_control *policy = control_get();
	__u64 filled = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) * IMMUNE_PRESSURE_SHARE;
	__u64 now_ns = header->time_ns, since_ns;

	if (!channel || !policy)
		return BPF_RB_FORCE_WAKEUP;
	since_ns = now_ns - channel->last_wake_ns;
	if ((awaited && since_ns >= policy->wake_interval_ns && reader_waits(now_ns)) ||
	    ((header->kind == IMMUNE_KIND_VERDICT ||
	      filled >= bpf_ringbuf_query(ring, BPF_RB_RING_SIZE)) &&
	     since_ns >= IMMUNE_PRESSURE_INTERVAL_NS)) {
		channel->last_wake_ns = now_ns;
		return BPF_RB_FORCE_WAKEUP;
	}
	return BPF_RB_NO_WAKEUP;
}

/* Sends `length` bytes of a record, which its header already counts; one outcome is counted. */
static __always_inline void record_put(void *ring, struct immune_record_header *header,
				       __u64 length, struct immune_tally *tally, __u32 stream,
				       bool awaited)
{
	struct immune_channel *channel = bpf_map_lookup_elem(&channels, &stream);
	__u64 flags = wake_flags(ring, channel, awaited, header);

	if (!record_number(header, stream, channel))
		count_one(tally, unreadable);
	else if (bpf_ringbuf_output(ring, header, length, flags))
		count_one(tally, ring_full);
	else
		count_one(tally, submitted);
}

/* The same within the limits of its process and cgroup, where it is a bulk record. */
static __always_inline void record_send(void *ring, struct immune_record_header *header,
					__u64 length, struct immune_tally *tally, __u32 stream,
					bool awaited)
{
	if (stream == IMMUNE_STREAM_BULK && rate_folds(header))
		count_one(tally, folded);
	else
		record_put(ring, header, length, tally, stream, awaited);
}

/* Sends what a scratch holds and gives it back. */
static __always_inline void scratch_send(void *ring, struct immune_scratch *scratch,
					 struct immune_tally *tally, __u32 stream, bool awaited)
{
	struct immune_record_header *header = (void *)scratch->record;
	__u64 length = scratch->length;

	/*
	 * Zeros up to the next multiple of 8. Here and elsewhere barrier_var() hides a value's
	 * history from the compiler, so that it keeps the check that the verifier wants.
	 */
	barrier_var(length);
	if (length > IMMUNE_RECORD_BYTES_MAX - IMMUNE_RECORD_ALIGNMENT) {
		record_lose(stream);
		count_one(tally, oversized);
		scratch_release(scratch);
		return;
	}
	/* As many as there can be to the next multiple. */
#pragma unroll
	for (__u32 i = 0; i < IMMUNE_RECORD_ALIGNMENT; i++)
		scratch->record[length + i] = 0;
	length = (length + IMMUNE_RECORD_ALIGNMENT - 1) & ~(IMMUNE_RECORD_ALIGNMENT - 1ull);
	header->length = length;
	record_send(ring, header, length, tally, stream, awaited);
	scratch_release(scratch);
}

#endif
