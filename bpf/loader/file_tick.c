// SPDX-License-Identifier: MIT
#include "file_tick.h"

#include <time.h>

bool file_ticks(uint64_t changed_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	/* Signed: a clock that was set back makes a time of the future, which counts as now. */
	return (int64_t)((uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec - changed_ns) <
	       (int64_t)FILE_TICK_NS;
}
