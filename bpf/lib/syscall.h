/* SPDX-License-Identifier: MIT */
/*
 * Which system call just ended. Calls through a 32-bit entry have other numbers
 * (arch/x86/entry/syscalls, arch/arm64/include/asm/unistd32.h); both tables stand here.
 */
#ifndef IMMUNE_SYSCALL_H
#define IMMUNE_SYSCALL_H

#include "read.h"

#if defined(__TARGET_ARCH_x86)

/* TS_COMPAT of thread_info.status: entered by int 0x80 or a 32-bit sysenter. */
#define IMMUNE_TS_COMPAT 2
/* x32 calls carry this bit and else the native numbers. */
#define IMMUNE_X32_BIT 0x40000000

enum native_call {
	CALL_OPEN = 2,
	CALL_CREAT = 85,
	CALL_OPENAT = 257,
	CALL_OPEN_BY_HANDLE_AT = 304,
	CALL_SETUID = 105,
	CALL_SETGID = 106,
	CALL_SETREUID = 113,
	CALL_SETREGID = 114,
	CALL_SETRESUID = 117,
	CALL_SETRESGID = 119,
	CALL_SETFSUID = 122,
	CALL_SETFSGID = 123,
};

enum compat_open_call {
	COMPAT_OPENAT = 295,
	COMPAT_OPEN_BY_HANDLE_AT = 342,
};

static __always_inline bool call_is_compat(struct task_struct *task, __u32 *number, bool typed)
{
	bool x32 = *number & IMMUNE_X32_BIT;

	*number &= ~IMMUNE_X32_BIT;
	return READ(typed, task, thread_info.status) & IMMUNE_TS_COMPAT || x32;
}

/* True when the number is one of the native table, x32 included. */
static __always_inline bool call_table_is_native(struct task_struct *task, bool typed)
{
	return !(READ(typed, task, thread_info.status) & IMMUNE_TS_COMPAT);
}

static __always_inline __u32 call_number(struct pt_regs *registers)
{
	return registers->orig_ax;
}

#elif defined(__TARGET_ARCH_arm64)

/* Bit of thread_info.flags: runs 32-bit code. */
#define IMMUNE_TIF_32BIT 22

enum native_call {
	CALL_OPENAT = 56,
	CALL_OPEN_BY_HANDLE_AT = 265,
	CALL_SETREGID = 143,
	CALL_SETGID = 144,
	CALL_SETREUID = 145,
	CALL_SETUID = 146,
	CALL_SETRESUID = 147,
	CALL_SETRESGID = 149,
	CALL_SETFSUID = 151,
	CALL_SETFSGID = 152,
};

enum compat_open_call {
	COMPAT_OPENAT = 322,
	COMPAT_OPEN_BY_HANDLE_AT = 371,
};

static __always_inline bool call_table_is_native(struct task_struct *task, bool typed)
{
	return !((READ(typed, task, thread_info.flags) >> IMMUNE_TIF_32BIT) & 1);
}

static __always_inline bool call_is_compat(struct task_struct *task, __u32 *number, bool typed)
{
	return !call_table_is_native(task, typed);
}

static __always_inline __u32 call_number(struct pt_regs *registers)
{
	return registers->syscallno;
}

#else
#error "Unsupported architecture: build for x86 or arm64"
#endif

/* The same number in all tables. */
#define CALL_OPENAT2 437
/* Both 32-bit tables agree on these. */
#define COMPAT_OPEN 5
#define COMPAT_CREAT 8

static __always_inline bool call_opens(__u32 number, bool native)
{
	if (number == CALL_OPENAT2)
		return true;
	if (!native)
		return number == COMPAT_OPEN || number == COMPAT_CREAT || number == COMPAT_OPENAT ||
		       number == COMPAT_OPEN_BY_HANDLE_AT;
#if defined(__TARGET_ARCH_x86)
	if (number == CALL_OPEN || number == CALL_CREAT)
		return true;
#endif
	return number == CALL_OPENAT || number == CALL_OPEN_BY_HANDLE_AT;
}

/* Of calls that open: whether one is creat, which has no flags, or open, whose flags come second. */
static __always_inline bool call_is_creat(__u32 number, bool native)
{
#if defined(__TARGET_ARCH_x86)
	if (native)
		return number == CALL_CREAT;
#endif
	return !native && number == COMPAT_CREAT;
}

static __always_inline bool call_is_open(__u32 number, bool native)
{
#if defined(__TARGET_ARCH_x86)
	if (native)
		return number == CALL_OPEN;
#endif
	return !native && number == COMPAT_OPEN;
}

/*
 * Whether a call of any table may be an open: a first look, at no cost, at what every call passes. x32
 * calls carry a bit above their number.
 */
static __always_inline bool call_may_open(__u32 number)
{
	return call_opens((__u16)number, true) || call_opens((__u16)number, false);
}

/*
 * The native number of a call that sets ids, or 0. The 32-bit tables have each call twice, with ids
 * of 16 and of 32 bits.
 */
static __always_inline __u32 call_sets_ids(__u32 number, bool native)
{
	if (!native) {
		switch (number) {
		case 23: case 213: return CALL_SETUID;
		case 46: case 214: return CALL_SETGID;
		case 70: case 203: return CALL_SETREUID;
		case 71: case 204: return CALL_SETREGID;
		case 164: case 208: return CALL_SETRESUID;
		case 170: case 210: return CALL_SETRESGID;
		case 138: case 215: return CALL_SETFSUID;
		case 139: case 216: return CALL_SETFSGID;
		default: return 0;
		}
	}
	switch (number) {
	case CALL_SETUID: case CALL_SETGID: case CALL_SETREUID: case CALL_SETREGID:
	case CALL_SETRESUID: case CALL_SETRESGID: case CALL_SETFSUID: case CALL_SETFSGID:
		return number;
	default:
		return 0;
	}
}

#endif
