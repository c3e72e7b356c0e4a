// SPDX-License-Identifier: MIT
/*
 * System calls that reached into a guarded process, or used a privilege, at their exit: attached
 * while a policy asks for them. A hook on system calls slows all of them, so there is one for both.
 * Where LSM programs run (ptrace_access_check, sb_mount, ...) those would do the same for nothing.
 */
#include "act.h"
#include "reach.h"

/* A call that ended well, or one that would load a module, and what it does. */
struct call {
	struct task_struct *task;
	struct pt_regs *registers;
	long result;
	__u32 number;
	__u32 does; /* enum call_does */
	__u32 flags; /* for the header */
	bool native;
};

static __always_inline __u64 argument(const struct call *call, __u32 index)
{
	return call_argument(call->registers, index, call->native);
}

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
		body->argument = argument(call, 3);
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
	struct immune_slot *path = &record->slots[IMMUNE_ACT_SLOT_PATH];
	struct immune_slot *source = &record->slots[IMMUNE_ACT_SLOT_SOURCE];

	switch (record->body.act) {
	case ACT(MOUNT):
		text_append(scratch, path, argument(call, call->number == CALL_MOVE_MOUNT ? 3 : 1));
		if (call->number != CALL_MOUNT_SETATTR)
			text_append(scratch, source,
				    argument(call, call->number == CALL_MOVE_MOUNT ? 1 : 0));
		break;
	case ACT(UNMOUNT): case ACT(PIVOT_ROOT): case ACT(CHROOT):
		text_append(scratch, path, argument(call, 0));
		break;
	default:
		return;
	}
	record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
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

static __always_inline void act(const struct call *call)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_ACT);
	bool memory = call->does == CALL_DOES_MMAP || call->does == CALL_DOES_MPROTECT;
	struct immune_scratch *scratch;
	struct act_record *record;
	struct file *file = NULL;

	if (memory && (!turned_executable(call->task, call->registers, call->does, call->native,
					  &file) || !first_time(call->task)))
		return;
	if (call->does == ACT(BPF) && !(IMMUNE_BPF_COMMANDS >> (argument(call, 0) & 63) & 1))
		return;
	if (!kind_wanted(tally, IMMUNE_KIND_ACT))
		return;
	scratch = scratch_take();
	if (!scratch) {
		record_lose(IMMUNE_STREAM_LIFECYCLE);
		count_one(tally, unreadable);
		return;
	}
	record = (void *)scratch->record;
	act_fill(record, call->task, call->number, memory ? ACT(EXECUTABLE_MEMORY) : call->does,
		 call->flags);
	scratch->length = sizeof(*record);
	if (memory) {
		record->body.argument = argument(call, 2);
		record->body.object = call->does == CALL_DOES_MMAP ? call->result
								   : argument(call, 0);
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
	if (call.does <= CALL_DOES_MMAP) {
		if ((policy->kind_mask >> IMMUNE_KIND_ACT) & 1)
			act(&call);
	} else if ((policy->kind_mask >> IMMUNE_KIND_ACCESS) & 1) {
		reach(call.task, registers, call.does, call.native, result, call.flags);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
