/* SPDX-License-Identifier: MIT */
/*
 * What the loader and the enforcing programs tell each other: a policy as sets of entries. Include
 * <linux/types.h> (user space) or vmlinux.h (BPF) first.
 *
 * Entry i of a policy is bit i of every __u64 named `entries`. A map says for one value (a role, a
 * path, a port) which entries it belongs to, so that what holds is a conjunction of a few lookups,
 * whatever the number of entries. agent/enforce/tables.ts fills the maps, specs/enforcement.md has
 * the contract.
 *
 * A policy is written beside the one in force under the next generation, which is in every key, and
 * published by one store: no act is ever judged by half of each.
 */
#ifndef IMMUNE_ENFORCEMENT_H
#define IMMUNE_ENFORCEMENT_H

#define IMMUNE_ENTRIES_MAX 64
/* Bytes of a path in a table, zeros behind it; a longer one is in no exact entry. */
#define IMMUNE_ENFORCED_PATH_BYTES 252
/* Rows of the tables; twice as many, for the policy that is being written. */
#define IMMUNE_ENFORCED_PATHS_MAX 4096
#define IMMUNE_ENFORCED_FILES_MAX 8192
#define IMMUNE_ENFORCED_VALUES_MAX 4096
/* Programs whose hash is known; when it is full those go that were not asked for longest. */
#define IMMUNE_ENFORCED_LEARNED_MAX 16384
/* Records of verdicts that a CPU makes in a second; more are counted as filtered. */
#define IMMUNE_VERDICTS_PER_SECOND_MAX 1000

/* Opens: which of both an entry is for. */
enum immune_open_mode {
	IMMUNE_REFUSE_READ = 1,
	IMMUNE_REFUSE_WRITE = 2,
	IMMUNE_REFUSE_MOVE = 4, /* no open: a link or a name elsewhere, for a file or directory */
};

enum immune_enforced_file_flag {
	/* A program that is never refused anything where the host itself runs it, nor its exec. */
	IMMUNE_FILE_PROTECTED = 1,
};

/* Value of `enforcements` at generation & 1. */
struct immune_enforcement {
	__u64 exec; /* entries for each action */
	__u64 connect;
	__u64 bind;
	__u64 open_read;
	__u64 open_write;
	__u64 blocking; /* the others only tell */
	__u64 by_role; /* entries that name roles, to be looked up; and so on */
	__u64 any_role; /* entries that hold for roles without a row */
	__u64 by_session;
	__u64 any_session;
	__u64 by_user;
	__u64 any_user;
	__u64 by_address;
	__u64 by_port;
	__u64 by_protocol;
	__u64 by_program; /* entries with exceptions */
	__u64 by_tree; /* entries that name directories with all below them */
	__u64 policy; /* first bytes of its hash */
	__u64 actions_per_minute;
	__u64 expires_ns[IMMUNE_ENTRIES_MAX]; /* since boot; 0 = never */
};

/* The one value of `enforced`. */
struct immune_enforced {
	__u32 generation; /* 0: no policy yet */
	__u32 paused; /* 1: nothing is refused, nothing told */
	__u32 tiers; /* bit k: tier k may refuse */
	__u32 own_pid; /* the agent's process, to which nothing is refused; with its start time, as */
	__u64 own_start_ticks; /* pinned programs outlive it, and pids are used again */
};

/* A tick of /proc's start times (USER_HZ is 100 on all that we build for). */
#define IMMUNE_TICK_NS 10000000ull

/* Entries that a value brings, and those that it is an exception from. */
struct immune_entries {
	__u64 add;
	__u64 remove;
};

/* Entries that a path is in, and those that name a tree that it is the directory of, or is above. */
struct immune_enforced_path {
	__u64 add;
	__u64 below;
};

struct immune_value_key {
	__u32 generation;
	__u32 value; /* role, user id, or protocol */
};

struct immune_session_key {
	__u32 generation;
	__u32 reserved;
	__u64 session;
};

struct immune_path_key {
	__u32 generation;
	char path[IMMUNE_ENFORCED_PATH_BYTES];
};

/* Keys of tries: bits of what follows that count. Values are unions over all shorter prefixes. */
struct immune_tree_key {
	__u32 bits;
	__u32 generation;
	char path[IMMUNE_ENFORCED_PATH_BYTES];
};

struct immune_address_key {
	__u32 bits;
	__u32 generation;
	__u32 family; /* host byte order */
	__u8 address[16];
};

struct immune_port_key {
	__u32 bits;
	__u32 generation;
	__u8 port[2]; /* network byte order */
	__u8 reserved[2];
};

struct immune_file_key {
	__u32 generation;
	__u32 device;
	__u64 inode;
};

struct immune_enforced_file {
	struct immune_entries entries;
	__u64 reserved;
	__u32 user; /* that a protected program runs as beside root; 0 = it runs as root alone */
	__u32 flags; /* enum immune_enforced_file_flag */
};

/* A program that was hashed. */
struct immune_learned_file {
	__u64 entries; /* that list its hash; 0 = none does */
	__u64 changed_s; /* change time that it has as long as it is the same */
	__u32 changed_ns;
	__u32 reserved;
};

/* What was used up of a minute, and of a second on a CPU. */
struct immune_allowance {
	__u64 period;
	__u64 count;
};

/* Value of `enforced_counts`, by tier and CPU. */
struct immune_enforced_count {
	__u64 judged; /* acts that an entry could be for */
	__u64 refused; /* killed ones too */
	__u64 monitored;
	__u64 capped;
	__u64 failed; /* a signal that was not sent, or nobody could judge */
};

_Static_assert(sizeof(struct immune_enforcement) == 152 + 8 * IMMUNE_ENTRIES_MAX, "enforcement");
_Static_assert(sizeof(struct immune_enforced) == 24, "immune_enforced");
_Static_assert(sizeof(struct immune_path_key) == 256, "immune_path_key");
_Static_assert(sizeof(struct immune_tree_key) == 260, "immune_tree_key");
_Static_assert(sizeof(struct immune_address_key) == 28, "immune_address_key");
_Static_assert(sizeof(struct immune_port_key) == 12, "immune_port_key");
_Static_assert(sizeof(struct immune_enforced_file) == 32, "immune_enforced_file");

#endif
