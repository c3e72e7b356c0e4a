// SPDX-License-Identifier: MIT
/* Watched paths that are devices: the kernel's program is told their numbers. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <bpf/bpf.h>

#include "device.h"
#include "served.h"

/* Types of bpf_cgroup_dev_ctx (include/uapi/linux/bpf.h). */
enum device_type {
	DEVICE_BLOCK = 1,
	DEVICE_CHARACTER = 2,
};

static void forget(int map)
{
	uint32_t key;

	/* Bounded by the map: each turn takes one out. */
	while (!bpf_map_get_next_key(map, NULL, &key) && !bpf_map_delete_elem(map, &key))
		;
}

/* 1 when the watch is a device that is in the map now, 0 when it is none, or a negative errno. */
static int add(int map, const struct immune_policy_watch *watch, const uint8_t *path)
{
	struct immune_device device = { .length = watch->length };
	char name[IMMUNE_DEVICE_PATH_BYTES + 1] = "";
	struct stat about;
	uint32_t key;

	if (watch->type != IMMUNE_WATCH_FILE || watch->length > IMMUNE_DEVICE_PATH_BYTES ||
	    (watch->wants && !(watch->wants & IMMUNE_WATCH_OPENS)))
		return 0;
	memcpy(name, path, watch->length);
	if (served_path(name) || stat(name, &about) ||
	    !(S_ISCHR(about.st_mode) || S_ISBLK(about.st_mode)))
		return 0;
	device.type = S_ISCHR(about.st_mode) ? DEVICE_CHARACTER : DEVICE_BLOCK;
	memcpy(device.path, name, sizeof(device.path));
	key = major(about.st_rdev) << 20 | minor(about.st_rdev);
	return bpf_map_update_elem(map, &key, &device, BPF_ANY) ? -errno : 1;
}

int devices_apply(int map, const uint8_t *entries, uint32_t count)
{
	struct immune_policy_watch watch;
	int found = 0;

	forget(map);
	for (uint32_t i = 0; i < count; i++) {
		int added;

		memcpy(&watch, entries, sizeof(watch));
		added = add(map, &watch, entries + sizeof(watch));
		if (added < 0)
			return added;
		found += added;
		entries += sizeof(watch) + ((watch.length + 7u) & ~7u);
	}
	return found;
}
