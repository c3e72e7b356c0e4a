/* SPDX-License-Identifier: MIT */
/*
 * Steps that nothing may come between, most on what belongs to one CPU. Kernels before 5.12 have no
 * atomic step but an add that gives nothing back, so there is a second object for them
 * (IMMUNE_PLAIN_ATOMICS). There a program is never preempted on its CPU, only interrupted, and what
 * interrupts it ends before it goes on: a flag that is free when it is looked at is free when it is
 * taken. An add with a result has no such way; it is guarded by a flag. What several CPUs write is
 * looked at again there, which makes a loss rarer and not impossible.
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

/* So often an add to a set looks whether another CPU has undone it. */
#define SET_LOOKS 4

/* Adds to a set that other CPUs add to. One that read before and stores after the last look wins. */
static __always_inline void set_add(volatile __u64 *set, __u64 bits)
{
	/* Bounded by the looks. */
#pragma unroll
	for (int i = 0; i < SET_LOOKS; i++) {
		__u64 now = *set;

		if (!(bits & ~now))
			return;
		*set = now | bits;
	}
}

/* Replaces a word that is still as it was; false when it is not. */
static __always_inline bool word_replace(volatile __u32 *word, __u32 from, __u32 to)
{
	if (*word != from)
		return false;
	*word = to;
	return true;
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

/* Adds to a set that other CPUs add to; mostly it has all, and no other CPU is kept waiting. */
static __always_inline void set_add(__u64 *set, __u64 bits)
{
	if (bits & ~*set)
		__sync_fetch_and_or(set, bits);
}

/* Replaces a word that is still as it was; false when it is not. */
static __always_inline bool word_replace(__u32 *word, __u32 from, __u32 to)
{
	return __sync_val_compare_and_swap(word, from, to) == from;
}

#endif

#endif
