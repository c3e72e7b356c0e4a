/* SPDX-License-Identifier: MIT */
/*
 * Steps on what belongs to one CPU that nothing may come between. Kernels before 5.12 have no atomic
 * step but an add that gives nothing back, so there is a second object for them
 * (IMMUNE_PLAIN_ATOMICS). There a program is never preempted on its CPU, only interrupted, and what
 * interrupts it ends before it goes on: a flag that is free when it is looked at is free when it is
 * taken. An add with a result has no such way; it is guarded by a flag.
 */
#ifndef IMMUNE_ATOMIC_H
#define IMMUNE_ATOMIC_H

#include "maps.h"

#ifdef IMMUNE_PLAIN_ATOMICS

static __always_inline bool flag_take(volatile __u32 *flag)
{
	if (*flag)
		return false;
	*flag = 1;
	return true;
}

static __always_inline void flag_release(volatile __u32 *flag)
{
	*flag = 0;
}

/* A number that nobody takes: given out with the next one. */
static __always_inline void number_leave(struct immune_channel *channel)
{
	__sync_fetch_and_add(&channel->owed, 1);
}

/* The next number of a channel, or 0: it interrupts somebody who takes one, who leaves a gap. */
static __always_inline __u64 number_take(struct immune_channel *channel)
{
	volatile struct immune_channel *shared = channel;
	__u64 owed, number;

	if (!flag_take(&shared->taking)) {
		number_leave(channel);
		return 0;
	}
	/* Gaps that were left in the middle of the one before. */
	owed = shared->owed;
	__sync_fetch_and_add(&channel->owed, -owed);
	number = shared->sequence + owed + 1;
	shared->sequence = number;
	flag_release(&shared->taking);
	return number;
}

#else

static __always_inline bool flag_take(__u32 *flag)
{
	return !__sync_val_compare_and_swap(flag, 0, 1);
}

static __always_inline void flag_release(__u32 *flag)
{
	__sync_val_compare_and_swap(flag, 1, 0);
}

/* The next number of a channel; never 0. */
static __always_inline __u64 number_take(struct immune_channel *channel)
{
	return __sync_fetch_and_add(&channel->sequence, 1) + 1;
}

/* A number that nobody takes. */
static __always_inline void number_leave(struct immune_channel *channel)
{
	__sync_fetch_and_add(&channel->sequence, 1);
}

#endif

#endif
