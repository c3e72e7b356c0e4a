/* SPDX-License-Identifier: MIT */
/*
 * System calls that reach into other processes, or need a privilege: what each is, in the native and
 * the 32-bit table (arch/x86/entry/syscalls, include/uapi/asm-generic/unistd.h,
 * arch/arm64/tools/syscall_32.tbl), and its arguments.
 */
#ifndef IMMUNE_CALL_H
#define IMMUNE_CALL_H

#include "syscall.h"

/*
 * What a call does. Up to CALL_DOES_OPEN it may be an act, below CALL_DOES_MPROTECT with the number
 * of enum immune_act_what; from CALL_DOES_OPEN on it may be an access.
 */
enum call_does {
	CALL_DOES_NOTHING = 0,
	CALL_DOES_MPROTECT = 64,
	CALL_DOES_MMAP,
	CALL_DOES_OPEN,
	CALL_DOES_READ,
	CALL_DOES_WRITE,
	CALL_DOES_PTRACE,
	CALL_DOES_TAKE,
};

#define ACT(name) IMMUNE_ACT_WHAT_##name

/* The same numbers in all tables. */
#define CALL_OPEN_TREE 428
#define CALL_MOVE_MOUNT 429
#define CALL_FSCONFIG 431
#define CALL_FSMOUNT 432
#define CALL_MOUNT_SETATTR 442
#define CALL_OPEN_TREE_ATTR 467
/* Of 32-bit programs on x86 alone: its arguments are in memory. */
#define COMPAT_OLD_MMAP 90

static __always_inline __u32 call_of_all(__u32 number)
{
	switch (number) {
	case CALL_OPEN_TREE: case CALL_MOVE_MOUNT: case CALL_FSCONFIG: case CALL_FSMOUNT:
	case CALL_MOUNT_SETATTR: case CALL_OPEN_TREE_ATTR:
		return ACT(MOUNT);
	case 438: return CALL_DOES_TAKE; /* pidfd_getfd */
	default: return CALL_DOES_NOTHING;
	}
}

#if defined(__TARGET_ARCH_x86)

/* 521, 539 and 540 are x32's own ptrace, process_vm_readv and process_vm_writev. */
static __always_inline __u32 call_of_native(__u32 number)
{
	switch (number) {
	case 9: return CALL_DOES_MMAP;
	case 10: case 329: return CALL_DOES_MPROTECT;
	case 101: case 521: return CALL_DOES_PTRACE;
	case 155: return ACT(PIVOT_ROOT);
	case 161: return ACT(CHROOT);
	case 165: return ACT(MOUNT);
	case 166: return ACT(UNMOUNT);
	case 175: case 313: return ACT(MODULE_LOAD);
	case 272: return ACT(UNSHARE);
	case 298: return ACT(PERF_EVENT);
	case 308: return ACT(SETNS);
	case 310: case 539: return CALL_DOES_READ;
	case 311: case 540: return CALL_DOES_WRITE;
	case 321: return ACT(BPF);
	default: return call_of_all(number);
	}
}

static __always_inline __u32 call_of_compat(__u32 number)
{
	switch (number) {
	case 21: return ACT(MOUNT);
	case 22: case 52: return ACT(UNMOUNT);
	case 26: return CALL_DOES_PTRACE;
	case 61: return ACT(CHROOT);
	case 125: case 380: return CALL_DOES_MPROTECT;
	case COMPAT_OLD_MMAP: case 192: return CALL_DOES_MMAP;
	case 128: case 350: return ACT(MODULE_LOAD);
	case 217: return ACT(PIVOT_ROOT);
	case 310: return ACT(UNSHARE);
	case 336: return ACT(PERF_EVENT);
	case 346: return ACT(SETNS);
	case 347: return CALL_DOES_READ;
	case 348: return CALL_DOES_WRITE;
	case 357: return ACT(BPF);
	default: return call_of_all(number);
	}
}

/* Argument 0 to 4; `index` is constant where this is used. */
static __always_inline __u64 call_argument(struct pt_regs *registers, __u32 index, bool native)
{
	switch (index) {
	case 0: return native ? registers->di : (__u32)registers->bx;
	case 1: return native ? registers->si : (__u32)registers->cx;
	case 2: return native ? registers->dx : (__u32)registers->dx;
	case 3: return native ? registers->r10 : (__u32)registers->si;
	default: return native ? registers->r8 : (__u32)registers->di;
	}
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline __u32 call_of_native(__u32 number)
{
	switch (number) {
	case 39: return ACT(UNMOUNT);
	case 40: return ACT(MOUNT);
	case 41: return ACT(PIVOT_ROOT);
	case 51: return ACT(CHROOT);
	case 97: return ACT(UNSHARE);
	case 105: case 273: return ACT(MODULE_LOAD);
	case 117: return CALL_DOES_PTRACE;
	case 222: return CALL_DOES_MMAP;
	case 226: case 288: return CALL_DOES_MPROTECT;
	case 241: return ACT(PERF_EVENT);
	case 268: return ACT(SETNS);
	case 270: return CALL_DOES_READ;
	case 271: return CALL_DOES_WRITE;
	case 280: return ACT(BPF);
	default: return call_of_all(number);
	}
}

static __always_inline __u32 call_of_compat(__u32 number)
{
	switch (number) {
	case 21: return ACT(MOUNT);
	case 22: case 52: return ACT(UNMOUNT);
	case 26: return CALL_DOES_PTRACE;
	case 61: return ACT(CHROOT);
	case 125: case 394: return CALL_DOES_MPROTECT;
	case 192: return CALL_DOES_MMAP;
	case 128: case 379: return ACT(MODULE_LOAD);
	case 218: return ACT(PIVOT_ROOT);
	case 337: return ACT(UNSHARE);
	case 364: return ACT(PERF_EVENT);
	case 375: return ACT(SETNS);
	case 376: return CALL_DOES_READ;
	case 377: return CALL_DOES_WRITE;
	case 386: return ACT(BPF);
	default: return call_of_all(number);
	}
}

/* The first one is kept apart: its register has the result by now. */
static __always_inline __u64 call_argument(struct pt_regs *registers, __u32 index, bool native)
{
	return index ? registers->regs[index] : registers->orig_x0;
}

#endif

/*
 * Whether a call of any table may be one that does something here: a first look, at no cost, at what
 * every call passes. Of those that failed it is one that loads a module. x32 calls carry a bit above
 * their number.
 */
static __always_inline bool call_may_matter(__u32 number, long result)
{
	__u32 native = call_of_native((__u16)number), compat = call_of_compat((__u16)number);

	if (result < 0)
		return native == ACT(MODULE_LOAD) || compat == ACT(MODULE_LOAD);
	return native || compat || call_may_open(number);
}

static __always_inline __u32 call_does(__u32 number, bool native)
{
	__u32 does = native ? call_of_native(number) : call_of_compat(number);

	if (does)
		return does;
	return call_opens(number, native) ? CALL_DOES_OPEN : CALL_DOES_NOTHING;
}

/* A call that ended well, or one that would load a module, and what it does. */
struct call {
	struct task_struct *task;
	struct pt_regs *registers;
	long result;
	__u32 number;
	__u32 does; /* enum call_does */
	__u32 flags; /* for the header */
	bool native;
};

static __always_inline __u64 argument(const struct call *call, __u32 index)
{
	return call_argument(call->registers, index, call->native);
}

#endif
