/* SPDX-License-Identifier: MIT */
/* Mounts, by path or by descriptor, as acts. */
#ifndef IMMUNE_MOUNT_H
#define IMMUNE_MOUNT_H

#include "act.h"
#include "call.h"
#include "descriptor.h"
#include "file.h"

/* Of include/uapi/linux/mount.h: the command that changes what is mounted, the flag for a copy. */
#define IMMUNE_FSCONFIG_CMD_RECONFIGURE 7
#define IMMUNE_OPEN_TREE_CLONE 1
/* MS_REMOUNT, and the flags under it that are those of a superblock, too. */
#define IMMUNE_MS_REMOUNT 0x20
#define IMMUNE_MS_OF_SUPERBLOCK 0x1f

/* Whether a call that may change what is mounted does. */
static __always_inline bool is_mount(const struct call *call)
{
	switch (call->number) {
	case CALL_FSCONFIG:
		return (__u32)argument(call, 1) == IMMUNE_FSCONFIG_CMD_RECONFIGURE;
	case CALL_OPEN_TREE: case CALL_OPEN_TREE_ATTR:
		return argument(call, 2) & IMMUNE_OPEN_TREE_CLONE;
	default:
		return true;
	}
}

/* Numbers of a mount: flags as mount(2) would have them, and the device, where there is no path. */
static __always_inline void mount_fill(struct immune_act_body *body, const struct call *call)
{
	struct super_block *super;
	struct fs_context *context;
	struct file *file;

	switch (call->number) {
	case CALL_FSCONFIG:
		file = descriptor_file(call->task, UNTYPED, argument(call, 0));
		context = BPF_CORE_READ(file, private_data);
		super = BPF_CORE_READ(context, root, d_sb);
		body->argument = IMMUNE_MS_REMOUNT |
				 (BPF_CORE_READ(super, s_flags) & IMMUNE_MS_OF_SUPERBLOCK);
		body->object = BPF_CORE_READ(super, s_dev);
		break;
	case CALL_FSMOUNT:
		file = descriptor_file(call->task, UNTYPED, call->result);
		body->argument = argument(call, 2);
		body->object = file_device(file, UNTYPED);
		break;
	case CALL_OPEN_TREE: case CALL_OPEN_TREE_ATTR: case CALL_MOUNT_SETATTR:
		body->argument = (__u32)argument(call, 2);
		break;
	case CALL_MOVE_MOUNT:
		body->argument = (__u32)argument(call, 4);
		break;
	default:
		body->argument = argument(call, 3);
	}
}

/* Paths of a mount, as the caller wrote them. */
static __always_inline void mount_texts_append(struct immune_scratch *scratch,
					       struct act_record *record, const struct call *call)
{
	struct immune_slot *path = &record->slots[IMMUNE_ACT_SLOT_PATH];
	struct immune_slot *source = &record->slots[IMMUNE_ACT_SLOT_SOURCE];
	__u64 path_at = argument(call, 1), source_at = 0;

	switch (call->number) {
	case CALL_FSCONFIG: case CALL_FSMOUNT:
		return;
	case CALL_OPEN_TREE: case CALL_OPEN_TREE_ATTR: case CALL_MOUNT_SETATTR:
		break;
	case CALL_MOVE_MOUNT:
		source_at = path_at;
		path_at = argument(call, 3);
		break;
	default:
		source_at = argument(call, 0);
	}
	text_append(scratch, path, path_at);
	if (source_at)
		text_append(scratch, source, source_at);
	record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
}

#endif
