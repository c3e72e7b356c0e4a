// SPDX-License-Identifier: MIT
/* Memory that was needed once goes back to the host. */
#include <malloc.h>

#include "internal.h"

IMMUNE_EXPORT int64_t immune_settle(void)
{
	/* Whole pages in the middle of the heap too, in all arenas. */
	return malloc_trim(0);
}
