// SPDX-License-Identifier: MIT
#include "mount_line.h"

#include <stdlib.h>
#include <string.h>

/* Turns octal escapes back into bytes, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
}

/* "8:1" */
static uint64_t device_of(const char *text)
{
	const char *colon = strchr(text, ':');

	return strtoul(text, NULL, 10) << 20 | (colon ? strtoul(colon + 1, NULL, 10) : 0);
}

bool mount_line_parse(char *line, struct mount_line *mount)
{
	/* Id, parent, device, root, point, options; more of them up to a dash; type, source, options. */
	char *fields[5], *rest = line, *end = strstr(line, " - ");

	if (!end)
		return false;
	end[0] = 0;
	for (int i = 0; i < 5; i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	end += strlen(" - ");
	end[strcspn(end, "\n")] = 0;
	mount->id = strtoul(fields[0], NULL, 10);
	mount->device = device_of(fields[2]);
	mount->root = fields[3];
	mount->point = fields[4];
	mount->type = strsep(&end, " ");
	strsep(&end, " ");
	mount->options = end ? end : mount->type + strlen(mount->type);
	unescape(mount->root);
	unescape(mount->point);
	return true;
}
