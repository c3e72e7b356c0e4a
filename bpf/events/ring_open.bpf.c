// SPDX-License-Identifier: MIT
/*
 * Opens that are asked for through io_uring: no system call of theirs is seen. Told when they are
 * submitted, with the kernel's copy of the path; what comes of them is not known yet. Attached only
 * while a policy asks for the wide stream.
 */
#include "descriptor.h"
#include "path.h"

/* Operations of include/uapi/linux/io_uring.h; AT_FDCWD of linux/fcntl.h. */
enum ring_operation {
	RING_OPENAT = 18,
	RING_OPENAT2 = 28,
};
#define IMMUNE_AT_FDCWD (-100)

struct open_record {
	struct immune_record_header header;
	struct immune_open_body body;
	struct immune_slot slots[IMMUNE_OPEN_SLOT_COUNT];
	__u8 bytes[];
};

/* Where a relative path starts: the working directory, or that of a descriptor. */
static __always_inline __u32 walk_base(struct immune_scratch *scratch, struct task_struct *task,
				       int descriptor)
{
	struct file *file;

	if (descriptor == IMMUNE_AT_FDCWD)
		return path_walk(scratch, BPF_CORE_READ(task, fs, pwd.dentry),
				 BPF_CORE_READ(task, fs, pwd.mnt));
	file = descriptor_file(task, UNTYPED, descriptor);
	if (!file)
		return IMMUNE_FLAG_UNRESOLVED;
	return path_walk(scratch, BPF_CORE_READ(file, f_path.dentry),
			 BPF_CORE_READ(file, f_path.mnt));
}

/* Appends the path as it was asked for, behind its base and a slash where it is relative. */
static __always_inline void name_append(struct immune_scratch *scratch, struct immune_slot *slot,
					const char *name)
{
	__u64 at = scratch->length;
	long length;

	/* Holds by what was appended before; the verifier wants it on the final value. */
	barrier_var(at);
	if (at > IMMUNE_RECORD_BYTES_MAX - IMMUNE_PATH_BYTES_MAX - 1)
		return;
	if (slot->length)
		scratch->record[at++] = '/';
	length = bpf_probe_read_kernel_str(&scratch->record[at], IMMUNE_PATH_BYTES_MAX, name);
	if (length <= 0)
		return;
	if (!slot->offset)
		slot->offset = at;
	slot->length = at + length - 1 - slot->offset; /* without its NUL */
	slot->original_length = slot->length;
	scratch->length = at + length - 1;
}

static __always_inline void record_fill(struct open_record *record, struct task_struct *task,
					const struct io_open *open)
{
	header_fill(&record->header, task, process_of(task, UNTYPED), IMMUNE_KIND_OPEN, UNTYPED);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_OPEN_SLOT_COUNT;
	/* Links in it are not followed, and whether it opens is not known. */
	record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
	record->body.open_flags = BPF_CORE_READ(open, how.flags);
	record->body.device = 0;
	record->body.inode = 0;
	__builtin_memset(record->slots, 0, sizeof(record->slots));
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_ring_open, struct io_kiocb *request)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct immune_tally *tally = tally_of(IMMUNE_KIND_OPEN);
	const struct io_open *open = (void *)&request->cmd;
	struct immune_scratch *scratch;
	struct open_record *record;
	const char *name;
	char first = 0;

	if (request->opcode != RING_OPENAT && request->opcode != RING_OPENAT2)
		return 0;
	if (!kind_wanted(tally, IMMUNE_KIND_OPEN))
		return 0;
	scratch = scratch_take();
	if (!scratch) {
		record_lose(IMMUNE_STREAM_BULK);
		count_one(tally, unreadable);
		return 0;
	}
	record = (void *)scratch->record;
	record_fill(record, task, open);
	scratch->length = sizeof(*record);
	name = BPF_CORE_READ(open, filename, name);
	bpf_probe_read_kernel(&first, sizeof(first), name);
	if (first != '/') {
		walk_base(scratch, task, BPF_CORE_READ(open, dfd));
		path_append(scratch, &record->slots[IMMUNE_OPEN_SLOT_PATH]);
	}
	name_append(scratch, &record->slots[IMMUNE_OPEN_SLOT_PATH], name);
	scratch_send(&bulk, scratch, tally, IMMUNE_STREAM_BULK, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
