/* SPDX-License-Identifier: MIT */
/* Acts that need a privilege, and memory that was written and became executable. */
#ifndef IMMUNE_ACT_H
#define IMMUNE_ACT_H

#include "call.h"
#include "descriptor.h"
#include "file.h"
#include "path.h"

/* NSFS_MAGIC of include/uapi/linux/magic.h. */
#define IMMUNE_NSFS_MAGIC 0x6e736673
/* Of include/uapi/linux/capability.h. */
#define IMMUNE_CAP_SYS_MODULE 16
/* Of include/uapi/asm-generic/mman-common.h. */
#define IMMUNE_PROT_WRITE 2
#define IMMUNE_PROT_EXEC 4
#define IMMUNE_MAP_ANONYMOUS 0x20
/* VM_SHARED and VM_MAYWRITE of include/linux/mm.h: memory that is shared and can be written. */
#define IMMUNE_VM_WRITABLE 0x28
/* Areas of memory that are looked at from the first one on, of a call that is about several. */
#define IMMUNE_AREAS_MAX 4
/* Commands of bpf(2) that change or reach what is loaded (include/uapi/linux/bpf.h): PROG_LOAD,
 * OBJ_PIN, PROG_ATTACH, PROG_DETACH, *_GET_FD_BY_ID, RAW_TRACEPOINT_OPEN, LINK_*. */
#define IMMUNE_BPF_COMMANDS                                                            \
	(1ull << 5 | 1ull << 6 | 1ull << 8 | 1ull << 9 | 1ull << 13 | 1ull << 14 |      \
	 1ull << 17 | 1ull << 28 | 1ull << 29 | 1ull << 30 | 1ull << 34)
/* Processes of which executable memory was told; the ones told last. */
#define IMMUNE_TOLD_MAX 4096

struct act_record {
	struct immune_record_header header;
	struct immune_act_body body;
	struct immune_slot slots[IMMUNE_ACT_SLOT_COUNT];
	__u8 bytes[];
};

/* What is told once a program: its process, and how many programs that has run. */
struct immune_told_key {
	__u64 start_time_ns;
	__u32 pid;
	__u32 programs;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_TOLD_MAX);
	__type(key, struct immune_told_key);
	__type(value, __u32);
} told SEC(".maps") __weak;

/* An area of memory, as bpf_find_vma() shows it. */
struct memory_seen {
	bool written; /* pages of its own, or shared ones that can be written by another mapping */
	struct file *file;
	__u64 end;
};

#ifdef IMMUNE_PLAIN_ATOMICS

/* The kernels of the second object know no callback, and refuse a program that has one. */
static __always_inline bool memory_see(__u64 address, struct memory_seen *seen)
{
	return false;
}

#else

static long see_memory(struct task_struct *task, struct vm_area_struct *area, void *context)
{
	struct memory_seen *seen = context;

	seen->written = area->anon_vma != NULL;
	/* Shared pages are nobody's own, and may have been written by way of another mapping. */
	if (bpf_core_field_exists(area->vm_flags) &&
	    (area->vm_flags & IMMUNE_VM_WRITABLE) == IMMUNE_VM_WRITABLE)
		seen->written = true;
	seen->file = area->vm_file;
	seen->end = area->vm_end;
	return 0;
}

/* Looks at the caller's memory, from Linux 5.17 on; false when it cannot. */
static __always_inline bool memory_see(__u64 address, struct memory_seen *seen)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma))
		return false;
	return !bpf_find_vma(bpf_get_current_task_btf(), address, see_memory, seen, 0);
}

#endif

/* Whether there is code at an address that was written, or is of a file in memory alone. */
static __always_inline bool memory_written(__u64 address, struct memory_seen *seen)
{
	seen->end = 0;
	return memory_see(address, seen) &&
	       (seen->written || (seen->file && file_memory_only(seen->file, UNTYPED)));
}

/* The same of any area from `start` to `end`: the first ones of it, and the last. */
static __always_inline bool range_written(__u64 start, __u64 end, struct memory_seen *seen)
{
	__u64 at = start;

	/* Bounded by IMMUNE_AREAS_MAX: somebody may have put thousands of areas in front. */
	for (int i = 0; i < IMMUNE_AREAS_MAX; i++) {
		if (memory_written(at, seen))
			return true;
		/* Without an end it could not be looked at: somebody else changes it. */
		if (!seen->end || seen->end >= end)
			return false;
		at = seen->end;
	}
	return memory_written(end - 1, seen);
}

static __always_inline bool first_time(struct task_struct *task)
{
	struct immune_told_key key = {
		.start_time_ns = task_start_time(task, UNTYPED),
		.pid = BPF_CORE_READ(task, tgid),
		.programs = BPF_CORE_READ(task, self_exec_id),
	};
	__u32 one = 1;

	return !bpf_map_update_elem(&told, &key, &one, BPF_NOEXIST);
}

/* The file behind memory that became executable after it was written; false when it was not. */
static __always_inline bool turned_executable(struct task_struct *task, struct pt_regs *registers,
					      __u32 does, bool native, struct file **file)
{
	__u64 protection = call_argument(registers, 2, native);
	__u64 kind = call_argument(registers, 3, native);
	struct memory_seen seen = {};
	__u64 start;

	if (!(protection & IMMUNE_PROT_EXEC))
		return false;
	if (does == CALL_DOES_MMAP) {
		if (protection & IMMUNE_PROT_WRITE)
			return true;
		if (kind & IMMUNE_MAP_ANONYMOUS)
			return false;
		*file = descriptor_file(task, UNTYPED, call_argument(registers, 4, native));
		/* A file in memory alone was written by a program and not installed by anybody. */
		return *file && file_memory_only(*file, UNTYPED);
	}
	if (protection & IMMUNE_PROT_WRITE)
		return true;
	start = call_argument(registers, 0, native);
	if (!range_written(start, start + call_argument(registers, 1, native), &seen))
		return false;
	/* Shared memory without a name has a file of the kernel's own: nobody put code into that. */
	if (!file_is_shared_memory(seen.file))
		*file = seen.file;
	return true;
}

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

static __always_inline void act_fill(struct act_record *record, struct task_struct *task,
				     __u32 number, __u32 what, __u32 flags)
{
	struct nsproxy *spaces = BPF_CORE_READ(task, nsproxy);

	header_fill(&record->header, task, process_of(task, UNTYPED), IMMUNE_KIND_ACT, UNTYPED);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_ACT_SLOT_COUNT;
	record->header.flags |= flags;
	__builtin_memset(&record->body, 0, sizeof(record->body));
	record->body.act = what;
	record->body.system_call = number;
	record->body.mount_namespace = BPF_CORE_READ(spaces, mnt_ns, ns.inum);
	record->body.pid_namespace = BPF_CORE_READ(spaces, pid_ns_for_children, ns.inum);
	record->body.network_namespace = BPF_CORE_READ(spaces, net_ns, ns.inum);
	record->body.user_namespace = BPF_CORE_READ(task, cred, user_ns, ns.inum);
	__builtin_memset(record->slots, 0, sizeof(record->slots));
}

#endif
