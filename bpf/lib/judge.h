/* SPDX-License-Identifier: MIT */
/* Which entries of the policy an act belongs to: by who acts, and by what is acted on. */
#ifndef IMMUNE_JUDGE_H
#define IMMUNE_JUDGE_H

#include "enforce_maps.h"
#include "file.h"
#include "label.h"
#include "socket.h"

/* An act while it is judged. */
struct immune_act {
	const struct immune_enforcement *policy;
	struct task_struct *task;
	__u64 entries; /* that may still be for it */
	__u32 generation;
	__u32 action; /* enum immune_action */
	__u32 tier; /* enum immune_tier */
	__u32 mode; /* enum immune_open_mode */
	bool unplaced; /* nobody can say where its file lies, nor so whether its entries hold */
};

/* Begins with the entries of an action; false when there is nothing to judge. */
static __always_inline bool act_begin(struct immune_act *act, __u32 action, __u32 tier)
{
	__u32 key = 0;
	struct immune_enforced *now = bpf_map_lookup_elem(&enforced, &key);

	if (!now || !now->generation || now->paused || !((now->tiers >> tier) & 1))
		return false;
	act->generation = now->generation;
	key = now->generation & 1;
	act->policy = bpf_map_lookup_elem(&enforcements, &key);
	if (!act->policy)
		return false;
	act->action = action;
	act->tier = tier;
	act->mode = 0;
	act->unplaced = false;
	act->task = (void *)bpf_get_current_task();
	if (action == IMMUNE_ACTION_EXEC)
		act->entries = act->policy->exec;
	else if (action == IMMUNE_ACTION_CONNECT)
		act->entries = act->policy->connect;
	else if (action == IMMUNE_ACTION_BIND)
		act->entries = act->policy->bind;
	else
		act->entries = 0;
	return action == IMMUNE_ACTION_OPEN || act->entries;
}

static __always_inline void act_count(const struct immune_act *act)
{
	__u32 key = act->tier & (IMMUNE_TIERS_MAX - 1);
	struct immune_enforced_count *count = bpf_map_lookup_elem(&enforced_counts, &key);

	if (count)
		__sync_fetch_and_add(&count->judged, 1);
}

/* Leaves the entries that a table's row, or its absence, leaves. */
static __always_inline void act_narrow(struct immune_act *act, const struct immune_entries *row,
				       __u64 named, __u64 any)
{
	__u64 holds = any;

	if (row)
		holds = (any | row->add) & ~row->remove;
	act->entries &= ~named | holds;
}

/*
 * Leaves the entries that a set of roles leaves. It is enough to be for one of them; to be excepted,
 * all have to be: a process may take another role, and keeps what it had.
 */
static __always_inline void act_narrow_roles(struct immune_act *act, __u64 roles)
{
	struct immune_value_key role = { .generation = act->generation };
	__u64 named = act->policy->by_role, add = 0, remove = ~0ull;

	/* Without any it is at place 0, which is that of none. */
	roles |= !roles;
	/* Bounded by the places of a set; mostly one of the first is all that there is. */
	for (__u32 i = 0; i < IMMUNE_ROLE_PLACES && roles >> i; i++) {
		struct immune_entries *row;

		if (!(roles >> i & 1))
			continue;
		role.value = role_at(i);
		row = bpf_map_lookup_elem(&enforced_roles, &role);
		add |= row ? row->add : 0;
		remove &= row ? row->remove : 0;
	}
	act->entries &= ~named | ((act->policy->any_role | add) & ~remove);
}

static __always_inline void judge_label(struct immune_act *act, bool after_exec)
{
	const struct immune_enforcement *policy = act->policy;
	struct immune_session_key session = { .generation = act->generation };
	__u64 roles = 0;
	/* A local, as CO-RE would take a way through `act` for one of the kernel's own structs. */
	struct task_struct *task = act->task;
	struct immune_process *process;

	if (!(act->entries & (policy->by_role | policy->by_session)))
		return;
	process = label_of(task);
	if (process) {
		session.session = process->session;
		roles = process->roles;
		/* The act is that of the program before, whatever role the new one brings. */
		if (after_exec && process->exec_id == (__u32)BPF_CORE_READ(task, self_exec_id))
			roles = process->roles_before;
	}
	/* One that the map had no room for: by now it may have any parent. */
	if (!process || process->start_time_ns != task_start_time(task, UNTYPED))
		roles |= roles_turned_away();
	if (act->entries & policy->by_role)
		act_narrow_roles(act, roles);
	/* The session of one that was turned away is not known: it may be each. */
	if (!(roles & 1))
		act_narrow(act, bpf_map_lookup_elem(&enforced_sessions, &session),
			   policy->by_session, policy->any_session);
}

/*
 * Whether a protected program is run by the host itself. Who starts one says what is loaded into it
 * (LD_PRELOAD): with a label, or as another user, it is a program like any other.
 */
static __always_inline bool is_spared(struct task_struct *task,
				      const struct immune_enforced_file *row)
{
	/* The real one: sshd reads the files of who logs in with that one's effective id. */
	__u32 user = BPF_CORE_READ(task, cred, uid.val);
	struct immune_process *process;

	if (user && user != row->user)
		return false;
	process = label_of(task);
	return !process || (!process->role && !process->session);
}

/* The program of the acting process: is it protected, and an exception from which entries. */
static __always_inline void judge_program(struct immune_act *act)
{
	struct immune_file_key key = { .generation = act->generation };
	struct task_struct *task = act->task;
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	struct immune_enforced_file *row;

	if (!file)
		return;
	key.device = file_device(file, UNTYPED);
	key.inode = BPF_CORE_READ(file, f_inode, i_ino);
	row = bpf_map_lookup_elem(&enforced_files, &key);
	if (!row)
		return;
	act->entries &= ~row->entries.remove;
	if (act->entries && row->flags & IMMUNE_FILE_PROTECTED && is_spared(task, row))
		act->entries = 0;
}

static __always_inline bool is_agent(struct task_struct *task)
{
	__u32 key = 0;
	struct immune_enforced *now = bpf_map_lookup_elem(&enforced, &key);

	return now && (__u32)BPF_CORE_READ(task, tgid) == now->own_pid &&
	       task_start_time(task, UNTYPED) / IMMUNE_TICK_NS == now->own_start_ticks;
}

/* Who acts. Nothing is ever refused to pid 1, to the agent and to the kernel. */
static __always_inline void judge_actor(struct immune_act *act, bool after_exec)
{
	const struct immune_enforcement *policy = act->policy;
	struct immune_value_key user = { .generation = act->generation };
	struct task_struct *task = act->task;

	act_count(act);
	if (BPF_CORE_READ(task, tgid) == 1 || is_agent(task) || task_is_kernel_thread(task, UNTYPED))
		act->entries = 0;
	if (!act->entries)
		return;
	judge_label(act, after_exec);
	if (act->entries & policy->by_user) {
		user.value = BPF_CORE_READ(task, cred, euid.val);
		act_narrow(act, bpf_map_lookup_elem(&enforced_users, &user), policy->by_user,
			   policy->any_user);
	}
	/* After an exec the caller's program is gone: such entries have no exceptions by program. */
	if (act->entries && !after_exec)
		judge_program(act);
}

static __always_inline void judge_protocol(struct immune_act *act, __u32 protocol)
{
	const struct immune_enforcement *policy = act->policy;
	struct immune_value_key kind = { .generation = act->generation, .value = protocol };

	if (act->entries & policy->by_protocol)
		act_narrow(act, bpf_map_lookup_elem(&enforced_protocols, &kind),
			   policy->by_protocol, 0);
}

/* Which address, port and protocol. */
static __always_inline void judge_address(struct immune_act *act, const __u32 words[4], __u16 family,
					  __u16 port, __u32 protocol)
{
	const struct immune_enforcement *policy = act->policy;
	struct immune_address_key address = { .generation = act->generation, .family = family };
	struct immune_port_key number = { .generation = act->generation };

	address.bits = 64 + (family == IMMUNE_FAMILY_IPV6 ? 128 : 32);
	__builtin_memcpy(address.address, words, sizeof(address.address));
	number.bits = 48;
	number.port[0] = port >> 8;
	number.port[1] = port;
	if (act->entries & policy->by_address)
		act_narrow(act, bpf_map_lookup_elem(&enforced_addresses, &address),
			   policy->by_address, 0);
	if (act->entries & policy->by_port)
		act_narrow(act, bpf_map_lookup_elem(&enforced_ports, &number), policy->by_port, 0);
	judge_protocol(act, protocol);
}

/* Time of the last change of a file, whatever this kernel calls it. */
struct inode___named {
	__s64 i_ctime_sec;
	__u32 i_ctime_nsec;
} __attribute__((preserve_access_index));
struct inode___hidden {
	struct timespec64 __i_ctime;
} __attribute__((preserve_access_index));
struct inode___plain {
	struct timespec64 i_ctime;
} __attribute__((preserve_access_index));

/* I_CTIME_QUERIED of include/linux/fs.h (Linux 6.13): somebody asked for this time since it was set. */
#define CTIME_QUERIED (1u << 31)

static __always_inline bool file_changed_at(struct file *file, __u64 seconds, __u32 nanoseconds)
{
	struct inode___named *named = (void *)BPF_CORE_READ(file, f_inode);
	struct inode___hidden *hidden = (void *)named;
	struct inode___plain *plain = (void *)named;

	if (bpf_core_field_exists(named->i_ctime_sec))
		return (__u64)BPF_CORE_READ(named, i_ctime_sec) == seconds &&
		       (BPF_CORE_READ(named, i_ctime_nsec) & ~CTIME_QUERIED) == nanoseconds;
	if (bpf_core_field_exists(hidden->__i_ctime))
		return (__u64)BPF_CORE_READ(hidden, __i_ctime.tv_sec) == seconds &&
		       (__u32)BPF_CORE_READ(hidden, __i_ctime.tv_nsec) == nanoseconds;
	return (__u64)BPF_CORE_READ(plain, i_ctime.tv_sec) == seconds &&
	       (__u32)BPF_CORE_READ(plain, i_ctime.tv_nsec) == nanoseconds;
}

/* Entries that a path is in. */
struct path_found {
	__u64 exact; /* as it is */
	__u64 tree; /* by its directories */
	__u64 below; /* as it is their directory, or one above that */
};

/* Entries that the walked path is in. */
static __always_inline struct path_found path_find(struct immune_scratch *scratch, __u32 generation)
{
	struct path_found found = {};
	__u32 place = scratch->place;
	struct immune_enforced_keys *keys = bpf_map_lookup_elem(&enforced_keys, &place);
	struct immune_enforced_path *row;
	struct immune_entries *tree;
	__u64 from = scratch->walk.at;
	__u64 length;

	/* Holds by what the walk left; the verifier wants it on the final value. */
	barrier_var(from);
	if (!keys || from >= IMMUNE_PATH_BYTES_MAX)
		return found;
	length = IMMUNE_PATH_BYTES_MAX - from;
	__builtin_memset(keys, 0, sizeof(*keys));
	keys->path.generation = keys->tree.generation = generation;
	keys->tree.bits = 8 * sizeof(keys->tree) - 32;
	/* The same of the length. */
	barrier_var(length);
	if (length > IMMUNE_ENFORCED_PATH_BYTES) {
		/* Its start tells in which directories it is; it is no whole path of a table. */
		bpf_probe_read_kernel(keys->tree.path, IMMUNE_ENFORCED_PATH_BYTES,
				      &scratch->path[from]);
	} else {
		bpf_probe_read_kernel(keys->path.path, length, &scratch->path[from]);
		bpf_probe_read_kernel(keys->tree.path, length, &scratch->path[from]);
		row = bpf_map_lookup_elem(&enforced_paths, &keys->path);
		if (row) {
			found.exact = row->add;
			found.below = row->below;
		}
	}
	tree = bpf_map_lookup_elem(&enforced_trees, &keys->tree);
	if (tree)
		found.tree = tree->add;
	return found;
}

/* A path that is not names nothing; that of a memfd is its name, see walk_step(). */
static __always_inline bool path_is_whole(const struct immune_walk *walk, struct file *file)
{
	if (!(walk->flags & IMMUNE_FLAG_UNRESOLVED))
		return true;
	return !(walk->flags & IMMUNE_FLAG_TRUNCATED) && !walk->unmounted &&
	       file_memory_only(file, UNTYPED);
}

/*
 * Entries that a file may be in whose place is not known, as its path is not whole. One that was cut
 * may lie in any tree, and no program that means well has such a path: what refuses a tree refuses
 * it, before what only tells. Of one on a file system that was unmounted (umount -l), where programs
 * of containers lie while they start, that is told, and it goes on.
 */
static __always_inline __u64 entries_unplaced(struct immune_act *act, const struct immune_walk *walk,
					      __u64 known)
{
	__u64 entries = act->entries & act->policy->by_tree;

	if (!(walk->flags & IMMUNE_FLAG_TRUNCATED)) {
		act->unplaced = walk->unmounted && !(act->entries & known);
		return act->unplaced ? entries : 0;
	}
	return entries & act->policy->blocking ? entries & act->policy->blocking : entries;
}

/* Entries that a file is in by what it is, whatever its name; `spared`: it is of none, protected. */
static __always_inline __u64 identity_entries(const struct immune_act *act, struct file *file,
					      bool *spared)
{
	struct immune_file_key key = { .generation = act->generation };
	struct immune_learned_file *learned;
	struct immune_enforced_file *row;
	__u64 entries = 0;

	key.device = file_device(file, UNTYPED);
	key.inode = BPF_CORE_READ(file, f_inode, i_ino);
	row = bpf_map_lookup_elem(&enforced_files, &key);
	if (row)
		entries |= row->entries.add;
	*spared = row && act->action == IMMUNE_ACTION_EXEC && row->flags & IMMUNE_FILE_PROTECTED;
	if (act->action == IMMUNE_ACTION_EXEC) {
		learned = bpf_map_lookup_elem(&enforced_learned, &key);
		if (learned && file_changed_at(file, learned->changed_s, learned->changed_ns))
			entries |= learned->entries;
	}
	return entries;
}

/* Which file: by its path, and by what it is. The walked path is left in scratch. */
static __always_inline __u32 judge_file(struct immune_act *act, struct immune_scratch *scratch,
					struct file *file)
{
	struct path_found found;
	bool whole, spared;
	__u64 entries = 0;
	__u32 flags = path_walk(scratch, BPF_CORE_READ(file, f_path.dentry),
				BPF_CORE_READ(file, f_path.mnt));

	whole = path_is_whole(&scratch->walk, file);
	if (whole) {
		found = path_find(scratch, act->generation);
		entries = found.exact | found.tree;
	}
	entries |= identity_entries(act, file, &spared);
	if (!whole)
		entries |= entries_unplaced(act, &scratch->walk, entries);
	act->entries &= spared ? 0 : entries;
	return flags;
}

/*
 * The same without its path, as there is no scratch to walk it in: what refuses its tree is told, and
 * the act goes on.
 */
static __always_inline void judge_unwalked(struct immune_act *act, struct file *file)
{
	__u64 trees = act->entries & act->policy->by_tree;
	bool spared;

	act->entries &= identity_entries(act, file, &spared);
	if (spared) {
		act->entries = 0;
	} else if (!act->entries) {
		act->entries = trees;
		act->unplaced = true;
	}
}

#endif
