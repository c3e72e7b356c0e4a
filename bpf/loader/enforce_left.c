// SPDX-License-Identifier: MIT
#include "enforce_left.h"

#include <limits.h>
#include <stdio.h>

#include "internal.h"

/* What stands before the name of one, and what several are. */
static const struct {
	const char *one, *more;
} names[IMMUNE_LEFT_COUNT] = {
	[IMMUNE_LEFT_DIRECTORIES] = { "a directory or more of ", "directories or more" },
	[IMMUNE_LEFT_NAMESPACE] = { "the mount namespace of ", "mount namespaces" },
	[IMMUNE_LEFT_MOUNT] = { "", "file systems" },
	[IMMUNE_LEFT_PLACE] = { "", "places" },
	[IMMUNE_LEFT_SERVED] = { "", "places" },
};

void enforce_left_add(struct enforce_left *left, enum immune_left_what what, uint32_t count,
		      const char *path, const char *reason)
{
	struct immune_left_row *row = &left->rows[what];

	if (!row->count) {
		row->what = what;
		snprintf(row->path, sizeof(row->path), "%s", path);
		snprintf(row->reason, sizeof(row->reason), "%s", reason);
	}
	row->count = count > UINT32_MAX - row->count ? UINT32_MAX : row->count + count;
}

int enforce_left_count(const struct enforce_left *left)
{
	uint64_t count = 0;

	for (int i = 0; i < IMMUNE_LEFT_COUNT; i++)
		count += left->rows[i].count;
	return count > INT_MAX ? INT_MAX : (int)count;
}

void enforce_left_tell(const struct enforce_left *left)
{
	char line[IMMUNE_ERROR_BYTES] = "";
	size_t used = 0;

	for (int i = 0; i < IMMUNE_LEFT_COUNT && used < sizeof(line); i++) {
		const struct immune_left_row *row = &left->rows[i];
		const char *before = used ? "; " : "";

		if (row->count == 1)
			used += (size_t)snprintf(line + used, sizeof(line) - used,
						 "%s%s\"%s\" is not asked about by fanotify: %s",
						 before, names[i].one, row->path, row->reason);
		else if (row->count)
			used += (size_t)snprintf(
				line + used, sizeof(line) - used,
				"%s%u %s are not asked about by fanotify, the first \"%s\": %s",
				before, row->count, names[i].more, row->path, row->reason);
	}
	if (used)
		immune_fail("%s", line);
}
