/* SPDX-License-Identifier: MIT */
/* The maps of all programs. Weak, so that each object may include them and the linker keeps one. */
#ifndef IMMUNE_MAPS_H
#define IMMUNE_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "control.h"
#include "immune_record.h"
#include "marks.h"
#include "process.h"

/* Records that can be in the making on one CPU: a program may preempt another one there. */
#define IMMUNE_SCRATCHES 3
/* Longest name of one path component (NAME_MAX of Linux), and room for its slash. */
#define IMMUNE_COMPONENT_ROOM 256

/*
 * Where a walk from a file to its root stands. In a map and not on the stack: the verifier then
 * knows nothing of the values, so that all ways through one step are one state to it.
 */
struct immune_walk {
	struct dentry *dentry;
	struct dentry *root; /* of `mount` */
	struct mount *mount;
	__u32 at; /* where the path starts in `path` */
	__u32 original; /* bytes that the whole path has */
	__u32 flags; /* enum immune_flag */
	__u32 name_cut; /* 1: a component was longer than IMMUNE_COMPONENT_ROOM allows */
	__u32 unmounted; /* 1: its topmost mount is in no place any more (umount -l) */
	__u32 reserved;
};

/* A component of a path or argument, see role.h. */
struct immune_component {
	__u64 hash;
	__u32 text; /* number of the argument that it is in */
	__u32 edges; /* enum immune_mark_edge: slashes that it has */
};

/* A text on its way into components, and the marks found in them. */
struct immune_split {
	__u64 bits;
	__u64 hash; /* of the component so far */
	__u32 count;
	__u32 argument;
	__u32 argument_bytes;
	__u32 argument_bytes_max; /* a longer one has no marks from there on */
	__u32 slash_before;
	__u32 reserved;
	struct immune_component components[IMMUNE_COMPONENTS_MAX];
};

/*
 * Where a record is made: too large for the 512 bytes of stack. A per-CPU value may have 32 KiB.
 * The first bytes of `record` are its header; `path` is filled from its end towards its start.
 */
struct immune_scratch {
	__u32 busy;
	__u32 place; /* key of this scratch */
	__u32 length; /* bytes of the record that are filled */
	__u32 reserved;
	__u64 listed_key; /* listed.h */
	struct immune_walk walk;
	struct immune_split split;
	__u8 record[IMMUNE_RECORD_BYTES_MAX] __attribute__((aligned(8)));
	__u8 path[IMMUNE_PATH_BYTES_MAX + IMMUNE_COMPONENT_ROOM];
};

_Static_assert(sizeof(struct immune_scratch) <= 32 * 1024, "limit of a per-CPU value");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_control);
} control SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_reader);
} reader SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IMMUNE_KERNEL_KINDS_MAX);
	__type(key, __u32);
	__type(value, struct immune_tally);
} tallies SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IMMUNE_STREAM_COUNT);
	__type(key, __u32);
	__type(value, struct immune_channel);
} channels SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IMMUNE_SCRATCHES);
	__type(key, __u32);
	__type(value, struct immune_scratch);
} scratches SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUNE_PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct immune_process);
} processes SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUNE_MARKS_MAX);
	__type(key, __u64);
	__type(value, struct immune_mark);
} marks SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_terms);
} terms SEC(".maps") __weak;

/* What is known of those that `processes` had no room for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_overflow);
} overflowed SEC(".maps") __weak;

/* By the address of the socket that listens. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUNE_LISTENERS_MAX);
	__type(key, __u64);
	__type(value, struct immune_owner);
} listeners SEC(".maps") __weak;

/* Processes that ended lately, while changes of files are wanted: those are told afterwards. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_ENDED_MAX);
	__type(key, __u32);
	__type(value, struct immune_process);
} ended SEC(".maps") __weak;

/* Processes whose end was told lately, while `processes` cannot say that. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_ENDS_MAX);
	__type(key, struct immune_end_key);
	__type(value, __u8);
} ends SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * IMMUNE_DEVICES_MAX); /* while a policy is replaced, those of both */
	__type(key, __u64);
	__type(value, struct immune_device);
} devices SEC(".maps") __weak;

/* By the address of the socket: gone with its end. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUNE_CONNECTIONS_MAX);
	__type(key, __u64);
	__type(value, struct immune_owner);
} connections SEC(".maps") __weak;

/* By the cookie of the socket: the ones that asked last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_ASKERS_MAX);
	__type(key, __u64);
	__type(value, struct immune_owner);
} askers SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUNE_RATES_MAX);
	__type(key, struct immune_rate_key);
	__type(value, struct immune_rate);
} rates SEC(".maps") __weak;

/* The loader sets the sizes of both rings before they are made. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} lifecycle SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} bulk SEC(".maps") __weak;

#endif
