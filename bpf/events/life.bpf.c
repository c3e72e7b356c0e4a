// SPDX-License-Identifier: MIT
/* fork and exit of processes; threads come and go unseen. */
#include "act.h"
#include "label.h"
#include "record.h"

/* Of include/uapi/linux/sched.h. */
#define IMMUNE_CLONE_NEWTIME 0x00000080
#define IMMUNE_CLONE_NEWNS 0x00020000
#define IMMUNE_CLONE_NEWCGROUP 0x02000000
#define IMMUNE_CLONE_NEWUTS 0x04000000
#define IMMUNE_CLONE_NEWIPC 0x08000000
#define IMMUNE_CLONE_NEWUSER 0x10000000
#define IMMUNE_CLONE_NEWPID 0x20000000
#define IMMUNE_CLONE_NEWNET 0x40000000
/* SIGNAL_GROUP_EXIT of include/linux/sched/signal.h: the group's code counts, not the thread's. */
#define IMMUNE_SIGNAL_GROUP_EXIT 4

struct exit_record {
	struct immune_record_header header;
	struct immune_exit_body body;
};

/* Which namespaces a child has of its own, as flags of unshare. */
static __always_inline __u64 spaces_made(struct task_struct *parent, struct task_struct *child)
{
	struct nsproxy *before = READ(TYPED, parent, nsproxy), *after = READ(TYPED, child, nsproxy);
	__u64 made = 0;

	if (READ(TYPED, parent, cred, user_ns) != READ(TYPED, child, cred, user_ns))
		made |= IMMUNE_CLONE_NEWUSER;
	/* So it is with nearly all. */
	if (before == after)
		return made;
#define COMPARE(space, flag)                                                     \
	if (BPF_CORE_READ(before, space) != BPF_CORE_READ(after, space)) \
		made |= flag
	COMPARE(mnt_ns, IMMUNE_CLONE_NEWNS);
	COMPARE(uts_ns, IMMUNE_CLONE_NEWUTS);
	COMPARE(ipc_ns, IMMUNE_CLONE_NEWIPC);
	COMPARE(net_ns, IMMUNE_CLONE_NEWNET);
	COMPARE(cgroup_ns, IMMUNE_CLONE_NEWCGROUP);
	COMPARE(pid_ns_for_children, IMMUNE_CLONE_NEWPID);
	/* Not time_ns: the child of who has unshared that is in it without asking. */
	COMPARE(time_ns_for_children, IMMUNE_CLONE_NEWTIME);
#undef COMPARE
	return made;
}

/*
 * clone and clone3 with flags of unshare, told of who called and without the number of the call: no
 * hook on system calls is asked for this. Threads may have such namespaces, too.
 */
static __always_inline void spaces_tell(struct task_struct *parent, struct task_struct *child)
{
	__u64 made = spaces_made(parent, child);
	struct immune_scratch *scratch;
	struct immune_tally *tally;
	struct act_record *record;

	if (!made)
		return;
	tally = tally_of(IMMUNE_KIND_ACT);
	scratch = act_scratch(tally);
	if (!scratch)
		return;
	record = (void *)scratch->record;
	act_fill(record, parent, 0, IMMUNE_ACT_WHAT_UNSHARE, 0);
	spaces_fill(&record->body, child);
	record->body.argument = made;
	record->body.object = child->pid;
	scratch->length = sizeof(*record);
	scratch_send(&lifecycle, scratch, tally, IMMUNE_STREAM_LIFECYCLE, true);
}

/* Runs before the child does, so that a label is there before its first instruction. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_FORK);
	struct immune_process process = {};
	struct immune_record_header header;
	struct immune_process *maker;

	spaces_tell(parent, child);
	if (!task_is_leader(child, TYPED))
		return 0;
	task_describe(child, &process, TYPED);
	process.maker_pid = parent->tgid;
	maker = process_of(parent, TYPED);
	if (maker && maker->start_time_ns == task_start_time(parent, TYPED)) {
		process.session = maker->session;
		process.role = maker->role;
		process.roles = maker->roles;
	} else {
		label_find(&process, parent);
	}
	process_put(child->tgid, &process, BPF_ANY);
	if (!kind_wanted(tally, IMMUNE_KIND_FORK))
		return 0;
	header_fill(&header, child, &process, IMMUNE_KIND_FORK, TYPED);
	header.length = sizeof(header);
	record_send(&lifecycle, &header, sizeof(header), tally, IMMUNE_STREAM_LIFECYCLE, false);
	return 0;
}

/*
 * Threads that end together can all see that none is left; the one that removes the process from
 * the map reports. While a process can be missing there for another reason, as the snapshot is not
 * done or the map was full, it is the one that puts the end down: be the process known or not, as
 * the next thread finds it gone. What cannot be put down is told.
 */
static __always_inline bool exit_is_first(const struct immune_record_header *header)
{
	struct immune_control *policy = control_get();
	struct immune_end_key key = { .start_time_ns = header->start_time_ns,
				       .pid = header->pid };
	bool known = !bpf_map_delete_elem(&processes, &key.pid);
	__u8 value = 0;

	if (policy && policy->snapshot_done && !processes_overflowed())
		return known;
	return map_put(&ends, &key, &value, BPF_NOEXIST) != -IMMUNE_EEXIST;
}

/* Keeps a process for a moment, while changes of files are wanted: they are told afterwards. */
static __always_inline void keep_ended(__u32 pid, struct immune_process *process)
{
	struct immune_control *policy = control_get();

	if (process && policy && (policy->kind_mask >> IMMUNE_KIND_CHANGE) & 1)
		bpf_map_update_elem(&ended, &pid, process, BPF_ANY);
}

static __always_inline __u32 exit_status(struct task_struct *task)
{
	if (task->signal->flags & IMMUNE_SIGNAL_GROUP_EXIT)
		return task->signal->group_exit_code;
	return task->group_leader->exit_code;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct immune_tally *tally = tally_of(IMMUNE_KIND_EXIT);
	struct exit_record record = {};
	struct immune_process *process;
	__u32 status;

	if (task->signal->live.counter)
		return 0;
	process = process_of(task, TYPED);
	header_fill(&record.header, task, process, IMMUNE_KIND_EXIT, TYPED);
	keep_ended(record.header.pid, process);
	if (!exit_is_first(&record.header))
		return 0;
	if (!kind_wanted(tally, IMMUNE_KIND_EXIT))
		return 0;
	status = exit_status(task);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.body.exit_code = (status >> 8) & 0xff;
	record.body.signal = status & 0x7f;
	record_send(&lifecycle, &record.header, sizeof(record), tally,
		    IMMUNE_STREAM_LIFECYCLE, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
