// SPDX-License-Identifier: MIT
/* exec: taken after the kernel switched to the new program, before its first instruction. */
#include "file.h"
#include "label.h"
#include "role.h"
#include "path.h"
#include "streams.h"
#include "syscall.h"

/* Smallest page of the supported architectures; reading argv never crosses one in one go. */
#define IMMUNE_PAGE_BYTES 4096ull
/* So many pages at most hold ARGV_BYTES_MAX bytes that start inside a page. */
#define IMMUNE_ARGV_PAGES_MAX (IMMUNE_ARGV_BYTES_MAX / 4096 + 1)

struct exec_record {
	struct immune_record_header header;
	struct immune_exec_body body;
	struct immune_slot slots[IMMUNE_EXEC_SLOT_COUNT];
	__u8 bytes[];
};

static __always_inline void exec_fill(struct exec_record *record, struct task_struct *task,
				      const struct immune_process *process, struct file *file)
{
	header_fill(&record->header, task, process, IMMUNE_KIND_EXEC, TYPED);
	record->header.body_length = sizeof(record->body);
	record->header.slot_count = IMMUNE_EXEC_SLOT_COUNT;
	__builtin_memset(&record->body, 0, sizeof(record->body));
	record->body.real_uid = task->cred->uid.val;
	record->body.real_gid = task->cred->gid.val;
	record->body.parent_uid = task->real_parent->cred->euid.val;
	record->body.device = file_device(file, TYPED);
	record->body.inode = file->f_inode->i_ino;
	record->body.mount_namespace = task->nsproxy->mnt_ns->ns.inum;
	record->body.pid_namespace = task->nsproxy->pid_ns_for_children->ns.inum;
	record->body.network_namespace = task->nsproxy->net_ns->ns.inum;
	record->body.user_namespace = task->cred->user_ns->ns.inum;
	stdio_fill(&record->body, task);
	/* A 32-bit program: the kernel has its task so from here on. */
	if (!call_table_is_native(task, TYPED))
		record->header.flags |= IMMUNE_FLAG_COMPAT;
	record->header.flags |= file_deleted(file, TYPED) | file_memory_only(file, TYPED);
	__builtin_memset(record->slots, 0, sizeof(record->slots));
}

/*
 * Arguments as the new program will see them: from its own stack, where no other thread is left to
 * rewrite them. Page by page, so that one page that is not there does not lose the others: its
 * bytes become zeros.
 */
static __noinline __u32 argv_append(struct immune_scratch *scratch, struct mm_struct *mm)
{
	__u64 start = mm->arg_start;
	__u64 whole = mm->arg_end - start;
	__u32 flags = whole > IMMUNE_ARGV_BYTES_MAX ? IMMUNE_FLAG_TRUNCATED : 0;
	__u64 wanted = whole > IMMUNE_ARGV_BYTES_MAX ? IMMUNE_ARGV_BYTES_MAX : whole;
	struct exec_record *record;
	struct immune_slot *slot;
	__u64 first, done = 0;

	if (!scratch)
		return IMMUNE_FLAG_UNRESOLVED;
	record = (void *)scratch->record;
	first = scratch->length;
	/* Bounded by the pages that the most bytes can lie on. */
	for (int i = 0; i < IMMUNE_ARGV_PAGES_MAX && done < wanted; i++) {
		__u64 part = IMMUNE_PAGE_BYTES - ((start + done) & (IMMUNE_PAGE_BYTES - 1));
		__u64 at = first + done;

		if (part > wanted - done)
			part = wanted - done;
		/* Holds by what is above; the verifier wants both bounds on the final values. */
		barrier_var(part);
		barrier_var(at);
		if (part > IMMUNE_PAGE_BYTES || at > IMMUNE_RECORD_BYTES_MAX - IMMUNE_PAGE_BYTES)
			break;
		if (bpf_probe_read_user(&scratch->record[at], part, (void *)(start + done)))
			flags |= IMMUNE_FLAG_UNRESOLVED;
		done += part;
	}
	slot = &record->slots[IMMUNE_EXEC_SLOT_ARGV];
	slot->offset = first;
	slot->length = done;
	slot->original_length = whole > 0xffffffff ? 0xffffffff : whole;
	scratch->length = first + done;
	return flags;
}

/* The path as it was asked for: the kernel's copy, so a script's own path. */
static __always_inline __u32 file_name_append(struct immune_scratch *scratch,
					      struct linux_binprm *binary)
{
	struct exec_record *record = (void *)scratch->record;
	struct immune_slot *slot = &record->slots[IMMUNE_EXEC_SLOT_FILE_NAME];
	const char *name = binary->filename;
	__u64 at = scratch->length;
	long length;

	/* Holds by what was appended before; the verifier wants it on the final value. */
	barrier_var(at);
	if (at > IMMUNE_RECORD_BYTES_MAX - IMMUNE_PATH_BYTES_MAX - 1)
		return IMMUNE_FLAG_UNRESOLVED;
	/* One byte more: a path that fills all has its NUL there. */
	length = bpf_probe_read_kernel_str(&scratch->record[at], IMMUNE_PATH_BYTES_MAX + 1, name);
	if (length <= 0)
		return IMMUNE_FLAG_UNRESOLVED;
	slot->offset = at;
	slot->length = length - 1; /* without its NUL */
	slot->original_length = length - 1;
	scratch->length = at + length - 1;
	return length > IMMUNE_PATH_BYTES_MAX ? IMMUNE_FLAG_TRUNCATED : 0;
}

/*
 * Ids and cgroup change at exec; role and session stay, or are those that the program brings. What
 * the map has of the process then; NULL when there is no room for it.
 */
static __always_inline struct immune_process *process_refresh(struct task_struct *task)
{
	struct immune_process *old = process_of(task, TYPED);
	struct immune_process fresh = {};

	if (old && old->start_time_ns == task_start_time(task, TYPED)) {
		/* In place: a label that is written meanwhile stays. */
		old->roles_before = old->roles;
		old->exec_id = task->self_exec_id;
		task_describe(task, old, TYPED);
		return old;
	}
	task_describe(task, &fresh, TYPED);
	label_find(&fresh, task);
	fresh.exec_id = task->self_exec_id;
	process_put(task->tgid, &fresh, BPF_ANY);
	return process_of(task, TYPED);
}

/*
 * Gives the process the role of its program, if that has one; a session begins where there is none.
 * Anybody may give a program's file that name: no role that the process had is taken from it.
 */
static __always_inline void process_label(struct exec_record *record, __u32 role)
{
	struct immune_record_header *header = &record->header;
	__u32 pid = header->pid;
	struct immune_process *process = bpf_map_lookup_elem(&processes, &pid);

	if (!role)
		return;
	header->role = role;
	header->flags |= IMMUNE_FLAG_LABELLED;
	if (!header->session)
		header->session = session_of(pid, header->start_time_ns);
	if (!process || process->start_time_ns != header->start_time_ns) {
		/* Turned away from the map: those have its role too then. */
		if (processes_overflowed())
			processes_overflow(role_bit(role));
		return;
	}
	set_add(&process->roles, role_bit(role));
	/* The time first: who writes an older label meanwhile finds either that, or the role. */
	*(volatile __u64 *)&process->labelled_ns = header->time_ns;
	*(volatile __u16 *)&process->role = role;
	process->session = header->session;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *binary)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_EXEC);
	struct immune_process *process = process_refresh(task);
	struct file *file = binary->file;
	struct immune_scratch *scratch;
	struct exec_record *record;
	__u32 flags;

	if (!kind_wanted(tally, IMMUNE_KIND_EXEC))
		return 0;
	scratch = scratch_take();
	if (!scratch) {
		record_lose(IMMUNE_STREAM_LIFECYCLE);
		count_one(tally, unreadable);
		return 0;
	}
	record = (void *)scratch->record;
	exec_fill(record, task, process, file);
	scratch->length = sizeof(*record);
	flags = path_walk(scratch, file->f_path.dentry, file->f_path.mnt);
	path_append(scratch, &record->slots[IMMUNE_EXEC_SLOT_IMAGE]);
	flags |= argv_append(scratch, task->mm);
	process_label(record, role_of(scratch, &record->slots[IMMUNE_EXEC_SLOT_IMAGE],
				      &record->slots[IMMUNE_EXEC_SLOT_ARGV]));
	flags |= path_walk(scratch, task->fs->pwd.dentry, task->fs->pwd.mnt);
	path_append(scratch, &record->slots[IMMUNE_EXEC_SLOT_CWD]);
	flags |= file_name_append(scratch, binary);
	record->header.flags |= flags;
	scratch_send(&lifecycle, scratch, tally, IMMUNE_STREAM_LIFECYCLE, true);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
