/* SPDX-License-Identifier: MIT */
/* A bounded set of numbers that are not 0. */
#ifndef IMMUNE_NUMBER_SET_H
#define IMMUNE_NUMBER_SET_H

#include <stdbool.h>
#include <stdint.h>

#define NUMBER_SET_MAX 8192

struct number_set {
	uint32_t count;
	uint64_t numbers[2 * NUMBER_SET_MAX]; /* by hash, then the next free place; 0 = free */
};

bool number_set_has(const struct number_set *set, uint64_t number);

/* Whether no other number has room. */
bool number_set_full(const struct number_set *set);

/* Adds one; false when there is no room for it. */
bool number_set_add(struct number_set *set, uint64_t number);

/* One number of two, for a set of pairs. */
uint64_t number_mix(uint64_t left, uint64_t right);

#endif
