// SPDX-License-Identifier: MIT
/*
 * Opens of watched devices. From Linux 6.14 or so on fanotify tells nothing of device nodes; a cgroup's
 * device program is asked for each, by number. Attached only while a watched path is a device.
 */
#include "record.h"

/* BPF_DEVCG_ACC_READ and _WRITE of include/uapi/linux/bpf.h, above the type. */
#define IMMUNE_DEVICE_OPENS (6u << 16)
#define IMMUNE_ALLOW 1

struct device_record {
	struct immune_record_header header;
	struct immune_open_body body;
	struct immune_slot slots[IMMUNE_OPEN_SLOT_COUNT];
	char path[IMMUNE_DEVICE_PATH_BYTES];
};

SEC("cgroup/dev")
int on_device(struct bpf_cgroup_dev_ctx *context)
{
	struct immune_tally *tally;
	__u64 key = IMMUNE_DEVICE_KEY(context->access_type & 0xffff, context->major, context->minor);
	struct immune_device *device = bpf_map_lookup_elem(&devices, &key);
	struct device_record record = {};

	if (!device || !(context->access_type & IMMUNE_DEVICE_OPENS))
		return IMMUNE_ALLOW;
	tally = tally_of(IMMUNE_KIND_OPEN);
	if (!kind_wanted(tally, IMMUNE_KIND_OPEN))
		return IMMUNE_ALLOW;
	header_fill_current(&record.header, IMMUNE_KIND_OPEN);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.header.slot_count = IMMUNE_OPEN_SLOT_COUNT;
	record.body.open_flags = IMMUNE_OPEN_FLAGS_UNKNOWN;
	record.slots[IMMUNE_OPEN_SLOT_PATH].offset = __builtin_offsetof(struct device_record, path);
	record.slots[IMMUNE_OPEN_SLOT_PATH].length = device->length;
	record.slots[IMMUNE_OPEN_SLOT_PATH].original_length = device->length;
	__builtin_memcpy(record.path, device->path, sizeof(record.path));
	record_send(&bulk, &record.header, sizeof(record), tally, IMMUNE_STREAM_BULK, false);
	return IMMUNE_ALLOW;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
