// SPDX-License-Identifier: MIT
/*
 * System calls that reached into a guarded process, or out of a session, or used a privilege, at
 * their exit: attached while a policy asks for them. A hook on system calls slows all of them, so
 * there is one for both. Where LSM programs run (ptrace_access_check, sb_mount, ...) those would do
 * the same for nothing.
 */
#include "act.h"
#include "memory.h"
#include "mount.h"
#include "path.h"
#include "reach.h"

/* Of include/uapi/linux/bpf.h: commands that change or reach what is loaded: PROG_LOAD, OBJ_PIN,
 * PROG_ATTACH, PROG_DETACH, *_GET_FD_BY_ID, RAW_TRACEPOINT_OPEN, LINK_*. */
#define IMMUNE_BPF_COMMANDS                                                            \
	(1ull << 5 | 1ull << 6 | 1ull << 8 | 1ull << 9 | 1ull << 13 | 1ull << 14 |      \
	 1ull << 17 | 1ull << 28 | 1ull << 29 | 1ull << 30 | 1ull << 34)
/* NSFS_MAGIC of include/uapi/linux/magic.h. */
#define IMMUNE_NSFS_MAGIC 0x6e736673
/* Of include/uapi/linux/capability.h. */
#define IMMUNE_CAP_SYS_MODULE 16

/* Numbers of an act; the file that it is about, or NULL. */
static __always_inline struct file *numbers_fill(struct immune_act_body *body,
						 const struct call *call)
{
	struct file *file = NULL;
	__u32 type = 0;

	switch (body->act) {
	case ACT(SETNS):
		body->argument = argument(call, 1);
		file = descriptor_file(call->task, UNTYPED, argument(call, 0));
		if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == IMMUNE_NSFS_MAGIC)
			body->object = BPF_CORE_READ(file, f_inode, i_ino);
		return NULL;
	case ACT(PERF_EVENT):
		bpf_probe_read_user(&type, sizeof(type), (void *)argument(call, 0));
		body->argument = type;
		body->object = (__u32)argument(call, 1);
		return NULL;
	case ACT(MODULE_LOAD):
		body->argument = call->result < 0 ? -call->result : 0;
		/* finit_module; the older call has the module in memory. */
		return descriptor_file(call->task, UNTYPED, argument(call, 0));
	case ACT(MOUNT):
		mount_fill(body, call);
		return NULL;
	case ACT(UNMOUNT):
		body->argument = argument(call, 1);
		return NULL;
	case ACT(UNSHARE): case ACT(BPF):
		body->argument = argument(call, 0);
		return NULL;
	default:
		return NULL;
	}
}

/* Paths of an act, as the caller wrote them. */
static __always_inline void texts_append(struct immune_scratch *scratch, struct act_record *record,
					 const struct call *call)
{
	switch (record->body.act) {
	case ACT(MOUNT):
		mount_texts_append(scratch, record, call);
		break;
	case ACT(UNMOUNT): case ACT(PIVOT_ROOT): case ACT(CHROOT):
		text_append(scratch, &record->slots[IMMUNE_ACT_SLOT_PATH], argument(call, 0));
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
		break;
	}
}

/* Whether the host's kernel would take a module of it. */
static __always_inline bool may_load_modules(struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u64 capable = 0;

	/* Two words of 32 bits until Linux 6.3. */
	bpf_core_read(&capable, sizeof(capable), &cred->cap_effective);
	return !BPF_CORE_READ(cred, user_ns, level) && capable >> IMMUNE_CAP_SYS_MODULE & 1;
}

/* Whether a call that may be an act is one; of memory `memory` is then filled. */
static __always_inline bool is_act(const struct call *call, const struct shown *shown,
				   struct memory *memory)
{
	switch (call->does) {
	case CALL_DOES_MMAP: case CALL_DOES_MPROTECT:
		return memory_turned(call->task, call->registers, call->does, call->number,
				     call->native, call->result, memory) &&
		       first_time(call->task, memory->way);
	case CALL_DOES_OPEN:
		return memory_opened(call->task, shown, memory) &&
		       first_time(call->task, memory->way);
	case ACT(BPF):
		return IMMUNE_BPF_COMMANDS >> (argument(call, 0) & 63) & 1;
	case ACT(MOUNT):
		return is_mount(call);
	default:
		return true;
	}
}

static __always_inline void act(const struct call *call, const struct shown *shown)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_ACT);
	bool is_memory = call->does >= CALL_DOES_MPROTECT;
	struct immune_scratch *scratch;
	struct act_record *record;
	struct memory memory = {};
	struct file *file;

	if (!is_act(call, shown, &memory))
		return;
	scratch = act_scratch(tally);
	if (!scratch)
		return;
	record = (void *)scratch->record;
	act_fill(record, call->task, call->number,
		 is_memory ? ACT(EXECUTABLE_MEMORY) : call->does, call->flags);
	scratch->length = sizeof(*record);
	if (is_memory) {
		record->body.argument = memory.protection;
		record->body.object = memory.address;
		file = memory.file;
	} else {
		file = numbers_fill(&record->body, call);
	}
	if (file) {
		record->header.flags |= file_deleted(file, UNTYPED) |
					file_memory_only(file, UNTYPED);
		record->header.flags |= path_walk(scratch, BPF_CORE_READ(file, f_path.dentry),
						  BPF_CORE_READ(file, f_path.mnt));
		path_append(scratch, &record->slots[IMMUNE_ACT_SLOT_PATH]);
	}
	texts_append(scratch, record, call);
	scratch_send(&lifecycle, scratch, tally, IMMUNE_STREAM_LIFECYCLE, true);
}

/* Which table a call's number is of. */
static __always_inline void table_find(struct call *call)
{
	struct task_struct *task = call->task;
	bool compat;

	if (current_is_typed()) {
		task = bpf_get_current_task_btf();
		compat = call_is_compat(task, &call->number, TYPED);
		call->native = call_table_is_native(task, TYPED);
	} else {
		compat = call_is_compat(task, &call->number, UNTYPED);
		call->native = call_table_is_native(task, UNTYPED);
	}
	call->flags = compat ? IMMUNE_FLAG_COMPAT : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_call_exit, struct pt_regs *registers, long result)
{
	struct immune_control *policy = control_get();
	struct call call = {
		.task = (void *)bpf_get_current_task(),
		.registers = registers,
		.result = result,
		.number = call_number(registers),
	};
	struct shown shown = {};

	if (!policy || !call_may_matter(call.number, result))
		return 0;
	table_find(&call);
	call.does = call_does(call.number, call.native);
	if (!call.does)
		return 0;
	/* That root wanted a module is told though the kernel refused it; anybody else may try. */
	if (result < 0 && (call.does != ACT(MODULE_LOAD) || !may_load_modules(call.task)))
		return 0;
	/* The sensor itself reads of others, and loads programs. */
	if (policy->own_pid == bpf_get_current_pid_tgid() >> 32)
		return 0;
	if (call.does == CALL_DOES_OPEN && !shown_find(call.task, result, &shown))
		return 0;
	if (call.does <= CALL_DOES_OPEN && (policy->kind_mask >> IMMUNE_KIND_ACT) & 1)
		act(&call, &shown);
	if (call.does >= CALL_DOES_OPEN && (policy->kind_mask >> IMMUNE_KIND_ACCESS) & 1)
		reach(call.task, registers, call.does, call.native, &shown, call.flags);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
