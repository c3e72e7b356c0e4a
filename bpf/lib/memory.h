/* SPDX-License-Identifier: MIT */
/* Memory that was written, or can be by another way, and became executable. */
#ifndef IMMUNE_MEMORY_H
#define IMMUNE_MEMORY_H

#include "call.h"
#include "descriptor.h"
#include "file.h"
#include "file_system.h"
#include "reach.h"

/* Of include/uapi/asm-generic/mman-common.h and mman.h. */
#define IMMUNE_PROT_WRITE 2
#define IMMUNE_PROT_EXEC 4
#define IMMUNE_MAP_TYPE 0xf
#define IMMUNE_MAP_SHARED 1
#define IMMUNE_MAP_SHARED_VALIDATE 3
#define IMMUNE_MAP_ANONYMOUS 0x20
/* VM_SHARED and VM_MAYWRITE of include/linux/mm.h. */
#define IMMUNE_VM_SHARED 8
#define IMMUNE_VM_MAYWRITE 0x20
/* S_IFREG and S_IFCHR of include/uapi/linux/stat.h. */
#define IMMUNE_MODE_REGULAR 0100000
#define IMMUNE_MODE_CHARACTER 0020000
#define IMMUNE_ZERO_DEVICE (1 << 20 | 5)
/* Areas of memory that are looked at from the first one on, of a call that is about several. */
#define IMMUNE_AREAS_MAX 4
/* Processes of which executable memory was told; the ones told last. */
#define IMMUNE_TOLD_MAX 4096

/* By which way memory became executable: each is told once a program, none in place of another. */
enum told_way {
	TOLD_NAMELESS = 0,
	TOLD_FILE,
	TOLD_OWN, /* it opened its own memory as a file, to write to it */
};

/* What is told once a program: its process, and how many programs that has run. */
struct immune_told_key {
	__u64 start_time_ns;
	__u32 pid;
	__u32 programs;
	__u64 way;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_TOLD_MAX);
	__type(key, struct immune_told_key);
	__type(value, __u32);
} told SEC(".maps") __weak;

/* Memory of the process that runs, as a call is about it. */
struct memory {
	__u64 address;
	__u64 length;
	__u64 protection;
	__u64 kind; /* flags of a mapping */
	__u32 descriptor;
	__u32 way; /* enum told_way */
	struct file *file; /* behind it, or NULL */
};

/* An area of memory, as bpf_find_vma() shows it. */
struct memory_seen {
	bool written; /* pages of its own, or shared ones that can be written by another mapping */
	bool shared;
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
	if (bpf_core_field_exists(area->vm_flags)) {
		seen->shared = area->vm_flags & IMMUNE_VM_SHARED;
		/* Shared pages are nobody's own, and may have been written by another mapping. */
		if (seen->shared && area->vm_flags & IMMUNE_VM_MAYWRITE)
			seen->written = true;
	}
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

/* Whether a shared mapping of a file can be written by somebody who maps or opens it again. */
static __always_inline bool shared_may_change(struct inode *inode)
{
	__u32 type = BPF_CORE_READ(inode, i_mode) & IMMUNE_MODE_TYPE;

	if (type == IMMUNE_MODE_CHARACTER) /* shared memory without a name, by another way */
		return BPF_CORE_READ(inode, i_rdev) == IMMUNE_ZERO_DEVICE;
	return type == IMMUNE_MODE_REGULAR && inode_in_memory(inode);
}

/*
 * Whether code of a file is none that was installed: it is in memory alone, somebody has it open for
 * writing (a mapping keeps it open), or it is on a file system in memory and shared, as no library
 * is that a linker loads.
 */
static __always_inline bool file_may_change(struct file *file, bool shared)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	return file_memory_only(file, UNTYPED) ||
	       BPF_CORE_READ(inode, i_writecount.counter) > 0 ||
	       (shared && shared_may_change(inode));
}

/* Whether there is code at an address that was written, or can be. */
static __always_inline bool memory_written(__u64 address, struct memory_seen *seen)
{
	seen->end = 0;
	return memory_see(address, seen) &&
	       (seen->written || (seen->file && file_may_change(seen->file, seen->shared)));
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

static __always_inline bool first_time(struct task_struct *task, __u32 way)
{
	struct immune_told_key key = {
		.start_time_ns = task_start_time(task, UNTYPED),
		.pid = BPF_CORE_READ(task, tgid),
		.programs = BPF_CORE_READ(task, self_exec_id),
		.way = way,
	};
	__u32 one = 1;

	return !bpf_map_update_elem(&told, &key, &one, BPF_NOEXIST);
}

/* What a mapping was asked with; the oldest mmap of 32-bit programs has it all in memory. */
static __always_inline bool mapping_read(struct memory *memory, struct pt_regs *registers,
					 __u32 number, bool native)
{
	__u32 words[5]; /* address, length, protection, flags, descriptor */

	if (native || number != COMPAT_OLD_MMAP) {
		memory->protection = call_argument(registers, 2, native);
		memory->kind = call_argument(registers, 3, native);
		memory->descriptor = call_argument(registers, 4, native);
		return true;
	}
	if (bpf_probe_read_user(words, sizeof(words), (void *)call_argument(registers, 0, native)))
		return false;
	memory->protection = words[2];
	memory->kind = words[3];
	memory->descriptor = words[4];
	return true;
}

static __always_inline bool mapping_turned(struct task_struct *task, struct memory *memory)
{
	__u32 type = memory->kind & IMMUNE_MAP_TYPE;
	bool shared = type == IMMUNE_MAP_SHARED || type == IMMUNE_MAP_SHARED_VALIDATE;
	bool writable = memory->protection & IMMUNE_PROT_WRITE;

	if (!(memory->protection & IMMUNE_PROT_EXEC))
		return false;
	/* mremap() makes a second view of shared memory, which then becomes writable. */
	if (memory->kind & IMMUNE_MAP_ANONYMOUS)
		return writable || shared;
	memory->file = descriptor_file(task, UNTYPED, memory->descriptor);
	return writable || (memory->file && file_may_change(memory->file, shared));
}

static __always_inline bool protection_turned(struct memory *memory)
{
	struct memory_seen seen = {};

	if (!(memory->protection & IMMUNE_PROT_EXEC))
		return false;
	if (!range_written(memory->address, memory->address + memory->length, &seen))
		return memory->protection & IMMUNE_PROT_WRITE;
	/* Shared memory without a name has a file of the kernel's own: nobody put code into that. */
	if (!file_is_shared_memory(seen.file))
		memory->file = seen.file;
	return true;
}

/* Whether a call made memory executable that was written, or can be; `memory` is then filled. */
static __always_inline bool memory_turned(struct task_struct *task, struct pt_regs *registers,
					  __u32 does, __u32 number, bool native, long result,
					  struct memory *memory)
{
	bool turned;

	if (does == CALL_DOES_MMAP) {
		turned = mapping_read(memory, registers, number, native) &&
			 mapping_turned(task, memory);
		memory->address = result;
	} else {
		memory->address = call_argument(registers, 0, native);
		memory->length = call_argument(registers, 1, native);
		memory->protection = call_argument(registers, 2, native);
		turned = protection_turned(memory);
	}
	memory->way = memory->file ? TOLD_FILE : TOLD_NAMELESS;
	return turned;
}

/* Whether a file that was opened writes the opener's own memory, whatever its protection. */
static __always_inline bool memory_opened(struct task_struct *task, const struct shown *shown,
					  struct memory *memory)
{
	struct task_struct *other = pid_task_of(shown->pid);

	if (shown->way != IMMUNE_ACCESS_WRITE || !other ||
	    BPF_CORE_READ(other, mm) != BPF_CORE_READ(task, mm))
		return false;
	memory->file = shown->file;
	memory->way = TOLD_OWN;
	return true;
}

#endif
