/* SPDX-License-Identifier: MIT */
/*
 * What the kernel keeps of every live process: the value of the map `processes`,
 * whose key is the process id (thread group, initial pid namespace) as __u32.
 *
 * Written at fork before the child runs, refreshed at exec and at a change of ids,
 * removed when the last thread ends. A reader compares start_time_ns before it
 * believes an entry. Include <linux/types.h> (user space) or vmlinux.h (BPF) first.
 */
#ifndef IMMUNE_PROCESS_H
#define IMMUNE_PROCESS_H

/* Entries of the map; a process that does not fit is counted and known by its records only. */
#define IMMUNE_PROCESSES_MAX 65536

/* Roles that a set has places for: ids up to 7, and those from 64 on that rule files name. */
#define IMMUNE_ROLE_PLACES 64
#define IMMUNE_ROLES_FIXED 8
#define IMMUNE_ROLE_OWN 64

struct immune_process {
	__u64 start_time_ns; /* start_boottime of the leader */
	__u64 parent_start_time_ns; /* the same of the real parent, at the last fork or exec */
	__u64 session; /* 0 = none */
	__u64 roles; /* every role that it and those that it descends from have had: role_bit() */
	__u64 roles_before; /* the same at the last exec, before its program brought another */
	__u64 labelled_ns; /* when its role was last set by the marks of a program; 0 = never */
	__u64 cgroup_id; /* cgroup v2 id at the last fork or exec */
	__u32 parent_pid;
	__u32 uid; /* effective, initial user namespace */
	__u32 gid;
	__u32 real_uid;
	__u32 real_gid;
	__u32 saved_uid;
	__u32 saved_gid;
	__u32 fs_uid;
	__u32 fs_gid;
	__u16 role; /* in force: the latest; 0 = none */
	__u16 flags; /* IMMUNE_FLAG_KERNEL_THREAD or 0 */
	__u32 exec_id; /* self_exec_id of the last exec that was seen */
	__u32 maker_pid; /* who made it, or its parent when the sensor came; 0 = nobody knows */
};

_Static_assert(sizeof(struct immune_process) == 104, "immune_process");

/* The one value of `overflowed`. */
struct immune_overflow {
	__u64 any; /* 1 from the first process that the map had no room for, of any CPU */
	__u64 roles; /* sets of all that had roles, and place 0; 0 = none had any */
};

/*
 * The role at a place of a set. Place 0 stands for none; in a set it says that the process, or one
 * that it descends from, was turned away from the map, so that it may have had any of the others.
 */
static inline __u32 role_at(__u32 place)
{
	return place < IMMUNE_ROLES_FIXED ? place : place - IMMUNE_ROLES_FIXED + IMMUNE_ROLE_OWN;
}

/* A set of one role; empty for none, and for what is no role of any rule set. */
static inline __u64 role_bit(__u32 role)
{
	__u32 place = role < IMMUNE_ROLES_FIXED ? role : role - IMMUNE_ROLE_OWN + IMMUNE_ROLES_FIXED;

	return role && place < IMMUNE_ROLE_PLACES && role_at(place) == role ? 1ull << place : 0;
}

#endif
