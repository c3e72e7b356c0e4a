// SPDX-License-Identifier: MIT
/* Names that are longer than Linux's own file systems take. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define LONG_NAME_BYTES 300
/* Longest component that is kept (NAME_MAX). */
#define NAME_BYTES_MAX 255

struct named {
	char folder[4096];
	char file[8192];
	uint32_t pid;
	bool done;
};

static const char end[] = "/cgroup.procs";

/* The folder's name is cut to what a component may have, said so, and counted in full. */
static void check_named(const struct immune_record_header *record, void *state)
{
	const uint32_t cut = IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED;
	const struct immune_slot *slot;
	struct named *named = state;
	const uint8_t *path, *name;
	uint32_t length;

	if (record->kind != IMMUNE_KIND_OPEN || record->pid != named->pid ||
	    !memmem(record, record->length, end, strlen(end)))
		return;
	path = slot_of(record, IMMUNE_OPEN_SLOT_PATH, &length);
	must((record->flags & cut) == cut, "flags %x", record->flags);
	must(length > NAME_BYTES_MAX + sizeof(end), "path of %u bytes", length);
	name = path + length - strlen(end) - NAME_BYTES_MAX;
	must(name[-1] == '/' && !memcmp(name, "python3xx", 9), "name of %.*s", (int)length, path);
	slot = (const void *)((const uint8_t *)record + record->header_length + record->body_length);
	must(slot->original_length == length + LONG_NAME_BYTES - NAME_BYTES_MAX, "original %u",
	     slot->original_length);
	named->done = true;
}

/* The control group file system takes names over 255 bytes, as FUSE does for any user. */
static void open_named(void *state)
{
	struct named *named = state;
	int fd;

	if (mkdir(named->folder, 0700))
		_exit(1);
	fd = open(named->file, O_RDONLY);
	_exit(rmdir(named->folder) || fd < 0);
}

static void find_groups(char *folder, size_t room)
{
	const char *roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	for (size_t i = 0; i < 2; i++) {
		snprintf(folder, room, "%s/cgroup.procs", roots[i]);
		if (!access(folder, F_OK)) {
			snprintf(folder, room, "%s/", roots[i]);
			return;
		}
	}
	must(false, "no cgroup v2 root");
}

/* A long name must not be shown as another one, such as its first bytes without the mark. */
void test_names(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct named named;
	char *name;
	int status;

	policy_set(sensor, IMMUNE_POLICY_WIDE_OPEN, EVERY_KIND);
	find_groups(named.folder, sizeof(named.folder) - LONG_NAME_BYTES - 1);
	name = named.folder + strlen(named.folder);
	memset(name, 'x', LONG_NAME_BYTES);
	memcpy(name, "python3", strlen("python3"));
	name[LONG_NAME_BYTES] = 0;
	snprintf(named.file, sizeof(named.file), "%s%s", named.folder, end);
	named.pid = (uint32_t)child_of(open_named, &named, &status);
	must(!status, "long name: status %x", status);
	poll_until(sensor, check_named, &named, &named.done);
	must(named.done, "the open was not reported");
	immune_sensor_close(sensor);
}
