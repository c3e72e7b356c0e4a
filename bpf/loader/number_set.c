// SPDX-License-Identifier: MIT
#include "number_set.h"

#define PLACES (2 * NUMBER_SET_MAX)

_Static_assert(!(PLACES & (PLACES - 1)), "a place is the hash's last bits");

/* The finaliser of MurmurHash3 (Austin Appleby, public domain). */
static uint64_t scrambled(uint64_t number)
{
	number ^= number >> 33;
	number *= 0xff51afd7ed558ccdull;
	number ^= number >> 33;
	number *= 0xc4ceb9fe1a85ec53ull;
	return number ^ number >> 33;
}

/* Where it is, or where it belongs; there is always a free place. */
static uint32_t place_of(const struct number_set *set, uint64_t number)
{
	uint32_t place = (uint32_t)scrambled(number) & (PLACES - 1);

	while (set->numbers[place] && set->numbers[place] != number)
		place = (place + 1) & (PLACES - 1);
	return place;
}

bool number_set_has(const struct number_set *set, uint64_t number)
{
	return number && set->numbers[place_of(set, number)] == number;
}

bool number_set_full(const struct number_set *set)
{
	return set->count == NUMBER_SET_MAX;
}

bool number_set_add(struct number_set *set, uint64_t number)
{
	uint32_t place = place_of(set, number);

	if (set->numbers[place] == number)
		return true;
	if (number_set_full(set))
		return false;
	set->numbers[place] = number;
	set->count++;
	return true;
}

uint64_t number_mix(uint64_t left, uint64_t right)
{
	uint64_t mixed = scrambled(left) ^ right;

	return mixed ? mixed : 1;
}
