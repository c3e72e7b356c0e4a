// SPDX-License-Identifier: MIT
/*
 * Signals to processes that are guarded: those with a role and the sensor's own. A debugger that
 * attaches (PTRACE_ATTACH) stops its target by a signal of the kernel, and is told as such; one with
 * a label whatever it attaches to beyond its session.
 */
#include "guard.h"

/* Signal numbers of include/uapi/asm-generic/signal.h; the same on x86 and arm64. */
enum signal_number {
	NUMBER_CHLD = 17,
	NUMBER_STOP = 19,
	NUMBER_URG = 23,
	NUMBER_WINCH = 28,
	NUMBER_IO = 29,
};

/* SI_KERNEL and SI_TIMER of include/uapi/asm-generic/siginfo.h. */
#define IMMUNE_CODE_KERNEL 0x80
#define IMMUNE_CODE_TIMER (-2)

/* SEND_SIG_NOINFO and SEND_SIG_PRIV of include/linux/sched/signal.h: no pointers. */
#define IMMUNE_SIGNAL_FROM_USER 0
#define IMMUNE_SIGNAL_FROM_KERNEL 1

/*
 * Whether a process has timers of timer_create(2). Their list is one with two ends (empty: it leads to
 * itself) or, in newer kernels, with one (empty: it leads nowhere).
 */
static __always_inline bool has_timers(struct task_struct *task)
{
	struct signal_struct *shared = BPF_CORE_READ(task, signal);
	const void *list = (void *)shared + bpf_core_field_offset(shared->posix_timers);
	__u64 first = 0;

	bpf_probe_read_kernel(&first, sizeof(first), list);
	return first && first != (__u64)list;
}

/*
 * A signal of a timer comes in the middle of anybody. A sender may say that his is one (sigqueue(3)
 * takes codes below 0): that is taken for true only where the target has such timers.
 */
static __always_inline bool is_of_timer(int code, struct task_struct *target)
{
	return code == IMMUNE_CODE_TIMER && has_timers(target);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int number, struct kernel_siginfo *info, struct task_struct *target)
{
	struct immune_process *process, *sender;
	__u32 own, pid;
	int code = 0;

	if (number == NUMBER_CHLD || number == NUMBER_URG || number == NUMBER_WINCH)
		return 0;
	own = bpf_get_current_pid_tgid() >> 32;
	pid = target->tgid;
	/* The kernel's own, timers among them, come in the middle of anybody. */
	if (!own || own == pid ||
	    task_is_kernel_thread((void *)bpf_get_current_task(), UNTYPED))
		return 0;
	if ((__u64)info == IMMUNE_SIGNAL_FROM_KERNEL && number == NUMBER_STOP && target->ptrace &&
	    (__u32)target->parent->tgid == own) {
		process = reached(pid, task_start_time(target, TYPED));
		if (process)
			tell(process, pid, IMMUNE_KIND_ACCESS, IMMUNE_ACCESS_ATTACH, 0);
		return 0;
	}
	process = guarded(pid, task_start_time(target, TYPED));
	if (!process)
		return 0;
	if ((__u64)info == IMMUNE_SIGNAL_FROM_KERNEL) {
		if (number == NUMBER_IO && !process->role)
			tell(process, pid, IMMUNE_KIND_SIGNAL, number, IMMUNE_FLAG_UNRESOLVED);
		return 0;
	}
	/* SI_USER and what kill(), tgkill() and sigqueue() give is not above 0. */
	if ((__u64)info > IMMUNE_SIGNAL_FROM_KERNEL)
		code = BPF_CORE_READ(info, si_code);
	if (code > 0 || is_of_timer(code, target)) {
		/* A file that is to signal another process (F_SETOWN, F_SETSIG): with any number. */
		if (code != IMMUNE_CODE_KERNEL && !process->role)
			tell(process, pid, IMMUNE_KIND_SIGNAL, number, IMMUNE_FLAG_UNRESOLVED);
		return 0;
	}
	sender = bpf_map_lookup_elem(&processes, &own);
	/* A session that ends its own processes is at home. */
	if (sender && process->session && sender->session == process->session)
		return 0;
	tell(process, pid, IMMUNE_KIND_SIGNAL, number, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
