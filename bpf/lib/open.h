/* SPDX-License-Identifier: MIT */
/* An open that went well: whether a rule could need it, and its record. */
#ifndef IMMUNE_OPEN_H
#define IMMUNE_OPEN_H

#include "call.h"
#include "descriptor.h"
#include "directory.h"
#include "file.h"
#include "listed.h"

/* What wasm/assembly/match.ts takes for an open that may write. */
#define IMMUNE_OPEN_FLAGS_WRITE \
	(IMMUNE_OPEN_ACCESS | IMMUNE_OPEN_CREATES | IMMUNE_OPEN_TRUNCATES)
/* FMODE_CREATED of include/linux/fs.h. */
#define IMMUNE_FMODE_CREATED (1u << 20)

struct open_record {
	struct immune_record_header header;
	struct immune_open_body body;
	struct immune_slot slots[IMMUNE_OPEN_SLOT_COUNT];
	__u8 bytes[];
};

/* Whether an open could be needed, as far as that can be told before its record is made. */
enum open_verdict {
	OPEN_FILTERED,
	OPEN_NEEDED,
	OPEN_PATH_DECIDES, /* its name is the last one of a path that a rule asks for */
	OPEN_PATH_LISTED, /* the same, or of a path that an indicator may list */
};

/*
 * O_TRUNC where a call asks for its file to be emptied, by its second argument as both tables have it
 * and its third. What openat2 asks for lies in memory of its caller: what cannot be read there is taken
 * for that. A global function, so that its ways are verified once and not before all that follows.
 */
__weak __noinline int call_truncates(__u32 number, __u32 native, __u64 second,
				     __u32 second_compat, __u64 third)
{
	__u64 flags = third;

	if (number == CALL_OPENAT2) {
		const void *how = (void *)(native ? third : (__u32)third);

		if (bpf_probe_read_user(&flags, sizeof(flags), how))
			return IMMUNE_OPEN_TRUNCATES;
	} else if (call_is_creat(number, native)) {
		return IMMUNE_OPEN_TRUNCATES;
	} else if (call_is_open(number, native)) {
		flags = native ? second : second_compat;
	}
	return flags & IMMUNE_OPEN_TRUNCATES;
}

/* Flags of an open. The file has them no more that are done with by then: creating and emptying. */
static __always_inline __u32 open_flags(struct file *file, __u32 truncates, bool typed)
{
	__u32 mode = (__u32)READ(typed, file, f_mode);

	/* No branch, as each would be verified with all that follows. */
	return READ(typed, file, f_flags) | (truncates & IMMUNE_OPEN_TRUNCATES) |
	       (mode & IMMUNE_FMODE_CREATED) / (IMMUNE_FMODE_CREATED / IMMUNE_OPEN_CREATES);
}

static __always_inline void open_fill(struct open_record *record, struct file *file, __u32 flags,
				      bool typed)
{

	header_fill_current(&record->header, IMMUNE_KIND_OPEN);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_OPEN_SLOT_COUNT;
	record->header.flags |= file_deleted(file, typed);
	record->body.open_flags = flags;
	record->body.device = file_device(file, typed);
	record->body.inode = READ(typed, file, f_inode, i_ino);
	__builtin_memset(record->slots, 0, sizeof(record->slots));
}

/* Which marks count for an open: enum immune_open_bit. */
static __always_inline __u32 open_wanted(__u32 flags)
{
	__u64 writes = flags & IMMUNE_OPEN_FLAGS_WRITE, negative = -writes;

	/* No branch, as each would be verified with all that follows (measured: twice as much). */
	barrier_var(negative);
	return IMMUNE_OPEN_ANY + IMMUNE_OPEN_WRITE * (__u32)((writes | negative) >> 63);
}

/*
 * Hashes a name in the memory of opens: all of it, and what is from its last dot on. A name without a
 * dot leaves a hash there that is no extension's. Verified once, as split_some() is (split.h).
 */
__weak __noinline int name_cut(__u32 length)
{
	struct immune_open_memory *memory = open_memory_get();
	__u64 hash = IMMUNE_FNV_OFFSET, extension = 0;

	if (!memory)
		return 0;
	/* Bounded by the longest name. */
	for (__u32 i = 0; i < IMMUNE_COMPONENT_ROOM && i < length; i++) {
		__u8 byte = memory->name[i];

		if (byte - 'A' < 26u)
			byte |= 0x20;
		if (byte == '.')
			extension = IMMUNE_FNV_OFFSET;
		extension = (extension ^ byte) * IMMUNE_FNV_PRIME;
		hash = (hash ^ byte) * IMMUNE_FNV_PRIME;
	}
	memory->name_hash = hash;
	memory->extension_hash = extension;
	return 0;
}

/* Bits of a file's name: into `extension` those that its end decides; also those it may have. */
static __always_inline __u64 name_bits(struct immune_open_memory *memory, struct dentry *dentry,
				       __u64 *extension, bool typed)
{
	__u32 length = READ(typed, dentry, d_name.len);
	struct immune_terms *all = terms_get();

	if (!all || length >= IMMUNE_COMPONENT_ROOM)
		return IMMUNE_EVERY_BIT;
	/* Holds by the check above; a size that is masked is one to the verifier, too. */
	length &= IMMUNE_COMPONENT_ROOM - 1;
	if (bpf_probe_read_kernel(memory->name, length, READ(typed, dentry, d_name.name)))
		return IMMUNE_EVERY_BIT;
	name_cut(length);
	*extension = mark_bits(all, sequence_add(IMMUNE_MARK_OPEN | IMMUNE_MARK_EXTENSION,
						 memory->extension_hash), 0);
	return *extension | mark_bits(all, sequence_add(IMMUNE_MARK_OPEN | IMMUNE_MARK_LAST,
							memory->name_hash), 0);
}

/* Number of the filter in force; 0: none. Read each time: a policy may be replaced meanwhile. */
static __always_inline __u32 filter_in_force(const struct immune_control *policy)
{
	return policy ? *(const volatile __u32 *)&policy->open_filtered : 0;
}

static __always_inline enum open_verdict
open_judge(const struct immune_control *policy, __u32 generation, struct file *file,
	   __u32 flags, bool typed)
{
	__u32 wanted = open_wanted(flags);
	struct immune_open_memory *memory = open_memory_get();
	enum listed_by listed;
	struct place place;
	__u64 extension = 0, bits;

	if (!policy || !generation || !memory || policy->open_every & wanted)
		return OPEN_NEEDED;
	place = place_of(file, typed);
	/* A file that is mounted itself has the name of where it is. Twice: on another such one. */
	if (place.dentry == place.root && place_climb(&place, typed) &&
	    place.dentry == place.root)
		return OPEN_NEEDED;
	bits = name_bits(memory, place.dentry, &extension, typed);
	if (bits == IMMUNE_EVERY_BIT)
		return OPEN_NEEDED;
	listed = name_listed(policy, memory->name_hash, &memory->listed_key);
	if (policy->open_deep & wanted) {
		if (place.dentry != place.root) {
			struct dentry *dentry = place.dentry;

			place.dentry = READ(typed, dentry, d_parent);
		}
		extension |= directory_bits(memory, &place, generation, typed) &
			     policy->open_deep;
	}
	if (extension & wanted || listed == LISTED_BY_NAME)
		return OPEN_NEEDED;
	if (listed)
		return OPEN_PATH_LISTED;
	return bits & wanted ? OPEN_PATH_DECIDES : OPEN_FILTERED;
}

/* Fills the record; false when its path decides, no rule could need it and no indicator lists it. */
static __always_inline bool open_make(struct immune_scratch *scratch, struct file *file,
				      __u32 opened, enum open_verdict verdict, bool typed)
{

	struct open_record *record = (void *)scratch->record;
	struct immune_slot *path = &record->slots[IMMUNE_OPEN_SLOT_PATH];
	__u32 flags;

	open_fill(record, file, opened, typed);
	scratch->length = sizeof(*record);
	flags = path_walk(scratch, READ(typed, file, f_path.dentry),
			  READ(typed, file, f_path.mnt));
	path_append(scratch, path);
	record->header.flags |= flags;
	if (verdict == OPEN_NEEDED ||
	    path_bits(scratch, path, flags) & open_wanted(opened))
		return true;
	return verdict == OPEN_PATH_LISTED && path_listed(scratch->place);
}

/* An open that went well; `typed` says whether the task and what it leads to is. */
static __always_inline void open_ended(struct task_struct *task, struct pt_regs *registers,
				       __u32 number, __u32 descriptor, bool typed)
{
	const struct immune_control *policy = control_get();
	struct immune_tally *tally = tally_of(IMMUNE_KIND_OPEN);
	bool compat = call_is_compat(task, &number, typed);
	__u32 generation = filter_in_force(policy);
	enum open_verdict verdict = OPEN_NEEDED;
	struct immune_scratch *scratch = NULL;
	struct open_record *record;
	__u32 flags = 0;
	struct file *file;

	if (!call_opens(number, call_table_is_native(task, typed)) ||
	    !kind_wanted(tally, IMMUNE_KIND_OPEN))
		return;
	/* Gone already: another thread closed it. Without the file there is nothing to tell. */
	file = descriptor_file(task, typed, descriptor);
	if (file) {
		file = TYPE(typed, file, file);
		flags = open_flags(
			file,
			call_truncates(number, call_table_is_native(task, typed), call_argument(registers, 1, true),
				       call_argument(registers, 1, false),
				       call_argument(registers, 2, true)),
			typed);
		verdict = open_judge(policy, generation, file, flags, typed);
		/* Another filter came into force: its marks may have been cleared under this one. */
		if (verdict == OPEN_FILTERED && filter_in_force(policy) != generation)
			verdict = OPEN_NEEDED;
		scratch = verdict == OPEN_FILTERED ? NULL : scratch_take();
	}
	if (verdict == OPEN_FILTERED) {
		count_one(tally, filtered);
		return;
	}
	if (!scratch) {
		record_lose(IMMUNE_STREAM_BULK);
		count_one(tally, unreadable);
		return;
	}
	if (!open_make(scratch, file, flags, verdict, typed) && filter_in_force(policy) == generation) {
		count_one(tally, filtered);
		scratch_release(scratch);
		return;
	}
	record = (void *)scratch->record;
	if (compat)
		record->header.flags |= IMMUNE_FLAG_COMPAT;
	scratch_send(&bulk, scratch, tally, IMMUNE_STREAM_BULK, false);
}

#endif
