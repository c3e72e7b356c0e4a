// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "container.h"

#define ID_DIGITS 64

/* What names of machines stand behind, and what may stand behind them. */
static const struct {
	const char *before, *after;
} machines[] = {
	{ "systemd-nspawn@", ".service" },
	{ "machine-", ".scope" },
	{ "lxc.payload.", "" },
	{ "lxc-", "" },
};

static bool ends(const char *text, size_t length, const char *end)
{
	size_t bytes = strlen(end);

	return length >= bytes && !memcmp(text + length - bytes, end, bytes);
}

static size_t keep(const char *text, size_t length, char out[CONTAINER_BYTES_MAX + 1])
{
	if (!length || length > CONTAINER_BYTES_MAX)
		return 0;
	memcpy(out, text, length);
	out[length] = 0;
	return length;
}

/* The digits at the end of a component, when they are as many as an id has. */
static size_t id_of(const char *text, size_t length, char out[CONTAINER_BYTES_MAX + 1])
{
	size_t digits = 0;

	if (ends(text, length, ".scope"))
		length -= strlen(".scope");
	while (digits < length && isxdigit((unsigned char)text[length - 1 - digits]) &&
	       !isupper((unsigned char)text[length - 1 - digits]))
		digits++;
	return digits == ID_DIGITS ? keep(text + length - digits, digits, out) : 0;
}

static size_t machine_of(const char *text, size_t length, char out[CONTAINER_BYTES_MAX + 1])
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		size_t before = strlen(machines[i].before), after = strlen(machines[i].after);

		if (length > before + after && !memcmp(text, machines[i].before, before) &&
		    ends(text, length, machines[i].after))
			return keep(text + before, length - before - after, out);
	}
	return 0;
}

size_t container_of_path(const char *path, char out[CONTAINER_BYTES_MAX + 1])
{
	size_t found = 0;

	out[0] = 0;
	/* The innermost one that has an id; bounded by the path: a turn a component. */
	while (*path) {
		size_t length = strcspn(path, "/");
		char id[CONTAINER_BYTES_MAX + 1];
		size_t bytes = id_of(path, length, id);

		if (!bytes)
			bytes = machine_of(path, length, id);
		if (bytes) {
			memcpy(out, id, bytes + 1);
			found = bytes;
		}
		path += length + (path[length] == '/');
	}
	return found;
}
