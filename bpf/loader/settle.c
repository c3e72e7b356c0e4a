// SPDX-License-Identifier: MIT
/* Memory that was needed once goes back to the host. */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/* Mappings that are looked at, at most. */
#define MAPPINGS_MAX 65536

IMMUNE_EXPORT int64_t immune_settle(void)
{
	/* Whole pages in the middle of the heap too, in all arenas. */
	return malloc_trim(0);
}

IMMUNE_EXPORT int64_t immune_forget_start(void)
{
	char program[PATH_MAX], line[PATH_MAX + 128];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	FILE *maps = fopen("/proc/self/maps", "re");
	int64_t bytes = 0;

	if (!maps || length <= 0) {
		if (maps)
			fclose(maps);
		return 0;
	}
	program[length] = 0;
	for (int i = 0; i < MAPPINGS_MAX && fgets(line, sizeof(line), maps); i++) {
		unsigned long from, to;
		char rights[5];
		int path = 0;

		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &from, &to, rights, &path) < 3)
			continue;
		/* Code alone: it is the file's and nobody has written to it. */
		if (!path || strcmp(rights, "r-xp") || strcmp(line + path, program))
			continue;
		if (!madvise((void *)from, to - from, MADV_DONTNEED))
			bytes += (int64_t)(to - from);
	}
	fclose(maps);
	return bytes;
}
