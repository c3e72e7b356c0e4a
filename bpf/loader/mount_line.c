// SPDX-License-Identifier: MIT
#include "mount_line.h"

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

bool mount_line_parse(char *line, struct mount_line *mount)
{
	/* Id, parent, device, root, point, options; more of them up to a dash; type. */
	char *fields[5], *type = strstr(line, " - "), *rest = line;

	if (!type)
		return false;
	type[0] = 0;
	for (int i = 0; i < 5; i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	mount->root = fields[3];
	mount->point = fields[4];
	mount->type = type + strlen(" - ");
	mount->type[strcspn(mount->type, " \n")] = 0;
	unescape(mount->root);
	unescape(mount->point);
	return true;
}
