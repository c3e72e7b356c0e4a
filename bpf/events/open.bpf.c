// SPDX-License-Identifier: MIT
/*
 * Every successful open of the host, at the exit of the system call: from the descriptor to the
 * file to its path. Attached only while a policy asks for the wide stream.
 */
#include "descriptor.h"
#include "file.h"
#include "path.h"
#include "syscall.h"

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
	record = (void *)scratch->record;
	open_fill(record, file);
	if (compat)
		record->header.flags |= IMMUNE_FLAG_COMPAT;
	scratch->length = sizeof(*record);
	record->header.flags |= path_walk(scratch, BPF_CORE_READ(file, f_path.dentry),
					  BPF_CORE_READ(file, f_path.mnt));
	path_append(scratch, &record->slots[IMMUNE_OPEN_SLOT_PATH]);
	scratch_send(&bulk, scratch, tally, IMMUNE_STREAM_BULK, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
