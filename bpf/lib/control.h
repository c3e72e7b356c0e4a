/* SPDX-License-Identifier: MIT */
/*
 * What the loader and the programs tell each other: the policy in force, and the
 * counters. Include <linux/types.h> (user space) or vmlinux.h (BPF) first.
 */
#ifndef IMMUNE_CONTROL_H
#define IMMUNE_CONTROL_H

/* Kinds that a kernel makes have ids below this; counters have a place for each. */
#define IMMUNE_KERNEL_KINDS_MAX 32

/* Place of the process map's own counters among those of the kinds: no kind has id 0. */
#define IMMUNE_TALLY_PROCESSES 0
/* The same of the maps of connections; no kind has id 31. */
#define IMMUNE_TALLY_CONNECTIONS 31

/* The same of the map of rates; no kind has id 30. */
#define IMMUNE_TALLY_RATES 30
/* Source of its rows, and the CPU. */
#define IMMUNE_SOURCE_RATES 0x8000

/* Processes and cgroups whose records are counted against a limit at a time, and how long one is. */
#define IMMUNE_RATES_MAX 8192
#define IMMUNE_RATE_WINDOW_NS 1000000000ull

/* Entries of the maps of sockets that listen, of connections, and of sockets that ask for names. */
#define IMMUNE_LISTENERS_MAX 4096
#define IMMUNE_CONNECTIONS_MAX 65536
#define IMMUNE_ASKERS_MAX 4096
/* Entries of the map of sockets and receivers of their datagrams. */
#define IMMUNE_SENT_MAX 8192
/* Entries of the map of processes that ended lately. */
#define IMMUNE_ENDED_MAX 4096
/* Entries of the map of ends that were told lately. */
#define IMMUNE_ENDS_MAX 4096
/* Watched devices, and the longest path of one. */
#define IMMUNE_DEVICES_MAX 256
#define IMMUNE_DEVICE_PATH_BYTES 120

/* A ring that is filled to 1/IMMUNE_PRESSURE_SHARE wakes the reader, whatever came. */
#define IMMUNE_PRESSURE_SHARE 8
/*
 * ... but at most this often on a CPU, so that a flood does not pay for each record. The same holds
 * for verdicts, which wake the reader also while it gathers.
 */
#define IMMUNE_PRESSURE_INTERVAL_NS 250000ull

/* Which ring; also the key of the map `channels`. */
enum immune_stream {
	IMMUNE_STREAM_LIFECYCLE = 0,
	IMMUNE_STREAM_BULK = 1,
	IMMUNE_STREAM_COUNT = 2,
};

/* The one value of the map `control`, written by the loader, read by the programs. */
struct immune_control {
	__u64 kind_mask; /* bit k: kind k is wanted */
	__u64 wake_interval_ns; /* an exec or connect wakes at most this often on a CPU; 0 = each */
	__u64 snapshot_done; /* 1: `processes` has every process that ran before */
	__u64 public_peers; /* 1: accepts and flows with peers in private networks are filtered */
	__u64 own_pid; /* the sensor's process: signals to it are told; 0 = none */
	__u32 open_filtered; /* which filter of the wide stream is in force; 0: all of it is sent */
	__u32 open_every; /* enum immune_open_bit: opens that are wanted whatever their path */
	__u32 open_deep; /* enum immune_open_bit: opens whose whole path decides, not its name alone */
	__u32 process_rate; /* bulk records a second of one kind and process; 0 = no limit */
	__u32 cgroup_rate; /* the same of one cgroup */
	__u32 network_slot; /* 1 + the place in `network_filters` that is in force; 0 = none */
	__u32 network_filtered; /* 1: what it says nobody needs is filtered; else limits ask it */
	__u32 listed_files; /* 1: files are listed, and `listed_files` has their keys */
	__u32 network_generation; /* of the filter and the list of addresses; another with each policy */
	__u32 reserved;
};

/* The one value of the map `reader`, which the loader writes through a mapping of its own. */
struct immune_reader {
	__u64 quiet_until_ns; /* it looks by itself then: before, no exec or connect wakes it */
};

/* Value of `tallies` for one kind on one CPU: seen = the sum of the others. */
struct immune_tally {
	__u64 seen;
	__u64 submitted;
	__u64 filtered;
	__u64 ring_full; /* at IMMUNE_TALLY_PROCESSES: the map was full */
	__u64 oversized;
	__u64 unreadable;
	__u64 folded; /* over a limit of its process or cgroup */
};

/* Value of `channels` for one stream on one CPU. */
struct immune_channel {
	__u64 sequence; /* last one taken */
	__u64 last_wake_ns;
	__u64 owed; /* numbers that are gaps, and not in `sequence` yet (atomic.h) */
	__u32 taking; /* 1: somebody on this CPU takes a number */
	__u32 reserved;
};

enum immune_rate_scope {
	IMMUNE_RATE_PROCESS = 1,
	IMMUNE_RATE_CGROUP = 2,
};

/* Key of the map `rates`. */
struct immune_rate_key {
	__u64 id; /* start time of the process, or id of the cgroup */
	__u32 pid; /* 0 for a cgroup */
	__u16 kind;
	__u16 scope; /* enum immune_rate_scope */
};

/* Its value: records of this window, and those that were folded since the loader took them. */
struct immune_rate {
	__u64 window_ns;
	__u64 count;
	__u64 folded;
	__u64 first_ns;
	__u64 last_ns;
	__u64 cgroup_id;
};

/* What the snapshot iterator writes for each process that it added. */
struct immune_snapshot_entry {
	__u64 start_time_ns;
	__u64 parent_start_time_ns;
	__u64 cgroup_id;
	__u64 inode;
	__u32 pid;
	__u32 parent_pid;
	__u32 uid;
	__u32 gid;
	__u32 real_uid;
	__u32 real_gid;
	__u32 parent_uid;
	__u32 device;
	__u32 flags; /* enum immune_flag */
	__u32 reserved;
};

/*
 * Key of `devices`, by type (1 = block, 2 = character), major and minor number: one of each type may
 * have the same numbers.
 */
#define IMMUNE_DEVICE_KEY(type, high, low) \
	((__u64)(type) << 32 | (__u32)(high) << 20 | (__u32)(low))

/* Value of `devices`. */
struct immune_device {
	__u32 length; /* bytes of the path */
	char path[IMMUNE_DEVICE_PATH_BYTES];
};

/* Key of the map `ends`. */
struct immune_end_key {
	__u64 start_time_ns;
	__u32 pid;
	__u32 reserved;
};

/* How far a connection is. */
enum immune_connection_state {
	IMMUNE_CONNECTION_ASKED = 0, /* a connect that has no answer yet */
	IMMUNE_CONNECTION_MADE = 1,
	IMMUNE_CONNECTION_ACCEPTED = 2,
	IMMUNE_CONNECTION_ARRIVED = 3, /* came with its first data, and is not confirmed yet */
};

/* Who opened a socket, see owner.h. */
struct immune_owner {
	__u64 start_time_ns;
	__u64 parent_start_time_ns;
	__u64 session;
	__u64 cgroup_id;
	__u64 since_ns;
	__u32 pid; /* 0: nobody knows */
	__u32 tid;
	__u32 parent_pid;
	__u32 uid;
	__u32 gid;
	__u16 role;
	__u16 state; /* enum immune_connection_state */
};

_Static_assert(sizeof(struct immune_control) == 80, "immune_control");
_Static_assert(sizeof(struct immune_reader) == 8, "immune_reader");
_Static_assert(sizeof(struct immune_tally) == 56, "immune_tally");
_Static_assert(sizeof(struct immune_rate_key) == 16, "immune_rate_key");
_Static_assert(sizeof(struct immune_rate) == 48, "immune_rate");
_Static_assert(sizeof(struct immune_channel) == 32, "immune_channel");
_Static_assert(sizeof(struct immune_snapshot_entry) == 72, "immune_snapshot_entry");
_Static_assert(sizeof(struct immune_end_key) == 16, "immune_end_key");
_Static_assert(sizeof(struct immune_owner) == 64, "immune_owner");

#endif
