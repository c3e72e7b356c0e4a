/* SPDX-License-Identifier: MIT */
/*
 * File systems that are mounted in other mount namespaces alone: those of containers, and of anybody
 * who makes a user namespace. By the way through a process of each, and without asking a program that
 * serves one (FUSE) anything.
 */
#ifndef IMMUNE_ENFORCE_ELSEWHERE_H
#define IMMUNE_ENFORCE_ELSEWHERE_H

#include "enforce_left.h"
#include "number_set.h"

/* Why a file system is left out that `devices` has no room for: what is marked and not known as marked
 * would count as not asked about. */
#define NO_ROOM_REASON "too many file systems are mounted in all namespaces"

/* What is marked, and where. */
struct elsewhere {
	int group;
	uint64_t mask;
	int served; /* program `on_served` */
	struct enforce_left *left;
	/* Those that this namespace has, reached or not: what is left out of them is told by then. */
	const struct number_set *own;
	/* File systems that are marked (enforce_mark.h); filled here. */
	struct number_set *devices;
};

/* Marks what is mounted there and in no other one; 0 or -errno. */
int enforce_mark_elsewhere(const struct elsewhere *all);

#endif
