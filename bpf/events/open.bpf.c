// SPDX-License-Identifier: MIT
/*
 * Every successful open of the host, at the exit of the system call: from the descriptor to the
 * file to its path. Attached only while a policy asks for the wide stream.
 */
#include "descriptor.h"
#include "file.h"
#include "listed.h"
#include "path.h"
#include "split.h"
#include "syscall.h"

/* O_WRONLY, O_RDWR, O_CREAT, O_TRUNC: what wasm/assembly/match.ts takes for an open that may write. */
#define IMMUNE_OPEN_FLAGS_WRITE (0x1 | 0x2 | 0x40 | 0x200)

struct open_record {
	struct immune_record_header header;
	struct immune_open_body body;
	struct immune_slot slots[IMMUNE_OPEN_SLOT_COUNT];
	__u8 bytes[];
};

static __always_inline void open_fill(struct open_record *record, struct file *file)
{
	header_fill_current(&record->header, IMMUNE_KIND_OPEN);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_OPEN_SLOT_COUNT;
	record->header.flags |= file_deleted(file, UNTYPED);
	record->body.open_flags = BPF_CORE_READ(file, f_flags);
	record->body.device = file_device(file, UNTYPED);
	record->body.inode = BPF_CORE_READ(file, f_inode, i_ino);
	__builtin_memset(record->slots, 0, sizeof(record->slots));
}

/* Which marks count for an open: enum immune_open_bit. */
static __always_inline __u32 open_wanted(struct file *file)
{
	bool writes = BPF_CORE_READ(file, f_flags) & IMMUNE_OPEN_FLAGS_WRITE;

	return writes ? IMMUNE_OPEN_ANY | IMMUNE_OPEN_WRITE : IMMUNE_OPEN_ANY;
}

/* Bits of a file's name: into `extension` those that its end decides; also those it may have. */
static __always_inline __u64 name_bits(struct immune_scratch *scratch, struct file *file,
				       __u64 *extension)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct immune_terms *all = terms_get();
	struct qstr name = {};
	__u32 length;

	BPF_CORE_READ_INTO(&name, dentry, d_name);
	length = name.len;
	/* What cannot be looked at is not filtered away. */
	if (!all || length >= IMMUNE_COMPONENT_ROOM)
		return ~0ull;
	/* Holds by the check above; a size that is masked is one to the verifier, too. */
	length &= IMMUNE_COMPONENT_ROOM - 1;
	if (bpf_probe_read_kernel(scratch->path, length, name.name))
		return ~0ull;
	name_cut(scratch->place, length);
	*extension = mark_bits(all, sequence_add(IMMUNE_MARK_OPEN | IMMUNE_MARK_EXTENSION,
						 scratch->split.extension), 0);
	return *extension | mark_bits(all, sequence_add(IMMUNE_MARK_OPEN | IMMUNE_MARK_LAST,
							scratch->split.hash), 0);
}

/* Bits of the path that a record has; all of them where it is not whole. */
static __always_inline __u64 path_bits(struct immune_scratch *scratch,
				       const struct immune_slot *path, __u32 flags)
{
	if (flags & (IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED) || !path->length ||
	    path->length >= IMMUNE_MARK_PATH_BYTES_MAX)
		return ~0ull;
	scratch->split.bits = 0;
	split_text(scratch, path->offset + 1, path->length - 1, IMMUNE_EDGE_BEFORE,
		   IMMUNE_MARK_PATH_BYTES_MAX);
	split_end(&scratch->split, END_OF_TEXT);
	if (scratch->split.count >= IMMUNE_COMPONENTS_MAX)
		return ~0ull;
	directories_look(scratch->place, IMMUNE_MARK_OPEN);
	components_look(scratch, IMMUNE_MARK_OPEN | IMMUNE_MARK_PART);
	return scratch->split.bits;
}

/*
 * Fills the record; false when no rule could need it, and no indicator lists the file: by its name,
 * else by its path.
 */
static __always_inline bool open_make(struct immune_scratch *scratch, struct file *file)
{
	struct open_record *record = (void *)scratch->record;
	struct immune_control *policy = control_get();
	__u32 wanted = open_wanted(file), flags;
	__u64 extension = 0;
	bool filtered = policy && policy->open_filtered && !(policy->open_every & wanted);
	enum listed_by listed = LISTED_NOT;

	if (filtered) {
		__u64 bits = name_bits(scratch, file, &extension) | policy->open_deep;

		listed = name_listed(policy, scratch->split.hash);
		if (!listed && !(bits & wanted))
			return false;
	}
	open_fill(record, file);
	scratch->length = sizeof(*record);
	flags = path_walk(scratch, BPF_CORE_READ(file, f_path.dentry),
			  BPF_CORE_READ(file, f_path.mnt));
	path_append(scratch, &record->slots[IMMUNE_OPEN_SLOT_PATH]);
	record->header.flags |= flags;
	if (!filtered || extension & wanted || listed == LISTED_BY_NAME ||
	    path_bits(scratch, &record->slots[IMMUNE_OPEN_SLOT_PATH], flags) & wanted)
		return true;
	return listed && path_listed(scratch->place);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_open_exit, struct pt_regs *registers, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 number = call_number(registers);
	struct immune_scratch *scratch;
	struct open_record *record;
	struct immune_tally *tally;
	struct file *file;
	bool compat;

	if (result < 0)
		return 0;
	compat = call_is_compat(task, &number);
	if (!call_opens(number, call_table_is_native(task)))
		return 0;
	tally = tally_of(IMMUNE_KIND_OPEN);
	if (!kind_wanted(tally, IMMUNE_KIND_OPEN))
		return 0;
	/* Gone already: another thread closed it. Without the file there is nothing to tell. */
	file = descriptor_file(task, UNTYPED, result);
	scratch = file ? scratch_take() : NULL;
	if (!scratch) {
		record_lose(IMMUNE_STREAM_BULK);
		count_one(tally, unreadable);
		return 0;
	}
	if (!open_make(scratch, file)) {
		count_one(tally, filtered);
		scratch_release(scratch);
		return 0;
	}
	record = (void *)scratch->record;
	if (compat)
		record->header.flags |= IMMUNE_FLAG_COMPAT;
	scratch_send(&bulk, scratch, tally, IMMUNE_STREAM_BULK, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
