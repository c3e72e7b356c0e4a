/* SPDX-License-Identifier: MIT */
/* The sensor itself, for the files of the loader that work on it. */
#ifndef IMMUNE_SENSOR_INTERNAL_H
#define IMMUNE_SENSOR_INTERNAL_H

#include <pthread.h>

#include "internal.h"

#include "control.h"
#include "immune_record.h"
#include "marks.h"
#include "process.h"
#include "cgroup_names.h"
#include "device.h"
#include "hash.h"
#include "hidden.h"
#include "ring.h"
#include "snapshot.h"
#include "verdicts.h"
#include "watch.h"

#define LIFECYCLE_RING_BYTES_DEFAULT (4u << 20)
/* Fits every open of a host; the agent names 4 MiB where opens are watched alone. */
#define BULK_RING_BYTES_DEFAULT (16u << 20)
/* Largest ring that the kernel's 32-bit sizes and our mapping allow for. */
#define RING_BYTES_MAX (1u << 30)
#define WAKE_INTERVAL_DEFAULT_US 4000u
/* A policy may not have the reader gather longer than this. */
#define WAKE_INTERVAL_MAX_US 1000000u
/* Watched opens are moved here before the rings are read, so that their exec comes first. */
#define STAGE_BYTES (128u << 10)

struct policy;
struct sensor_bpf;
struct bpf_link;

struct immune_sensor {
	struct sensor_bpf *programs;
	struct ring rings[IMMUNE_STREAM_COUNT];
	struct snapshot snapshot;
	struct hidden_round hidden; /* guarded by poll_lock, like snapshot */
	struct watch *watch;
	struct hasher *_Atomic hasher; /* from the first policy on that wants hashes */
	struct verdicts verdicts;
	pthread_mutex_t poll_lock; /* held by a poll, and by close */
	pthread_mutex_t policy_lock; /* held by what changes or reads the policy */
	struct immune_control control; /* as the kernel has it */
	struct policy *policy; /* in force; NULL before the first one */
	uint32_t open_generation; /* of the filter of opens: another one with each policy */
	uint64_t marks_sum; /* of what the policy wrote into marks and terms; verify.c */
	uint64_t terms_sum;
	uint64_t networks_sum; /* the same of the filter of connections */
	uint64_t filters_sum;
	uint32_t listed_id; /* the Bloom map in `listed`; 0 = none */
	uint32_t listed_files_id; /* the same in `listed_files` */
	bool processes_stale; /* fork, exec or exit went unseen for a while; guarded by policy_lock */
	uint64_t quiet_until_ns; /* as `reader` has it; guarded by poll_lock */
	bool unfinished; /* the last record that was read for is still being written */
	struct devices devices; /* guarded by policy_lock, but for its `notify` and `stale` */
	struct cgroup_names *cgroups;
	int cgroup;
	int epoll; /* the rings by edges, so that it tells of wake-ups and not of records */
	int wake; /* eventfd: a queue stopped being empty */
	int urgent; /* the same for verdicts, or somebody wants a wait to end */
	struct immune_reader *reader; /* map `reader`, mapped; written under poll_lock */
	uint8_t *stage;
	uint32_t stage_at;
	uint32_t stage_length;
	bool stage_snapshot; /* the stage holds processes of the snapshot, not watched opens */
};

/* Steps of opening, also used one by one by the self-test. Each is 0 or -errno with a line. */
int sensor_load(const struct immune_options *options, struct immune_sensor **out);
int sensor_attach_lifecycle(struct immune_sensor *sensor);
int sensor_snapshot(struct immune_sensor *sensor);
/* Brings the map of processes up to date once more, and tells nobody of what it lacked. */
int sensor_refresh(const struct immune_sensor *sensor);
int sensor_attach_sockets(struct immune_sensor *sensor);
int sensor_attach_watch(struct immune_sensor *sensor);
void sensor_free(struct immune_sensor *sensor);

/* Attaches or detaches the programs at system-call exit; 0 or -errno. */
int sensor_want_opens(struct immune_sensor *sensor, bool wanted);
/* Attaches what the kinds of a mask need, and detaches what they do not. */
int sensor_want_kinds(struct immune_sensor *sensor, uint64_t mask);
/* Starts or stops hashing by flags of a policy; 0 or -errno. */
int sensor_want_hashes(struct immune_sensor *sensor, uint32_t flags);

/* Watches of a policy that are devices; how many could not be set in full, or -errno. */
int sensor_want_devices(struct immune_sensor *sensor, const uint8_t *watches, uint32_t count);
/* Watches those that came since; `devices.stale` stays set when somebody sets a policy. */
void sensor_find_devices(struct immune_sensor *sensor);

/* The program that tells of acts, and of accesses beyond PTRACE_ATTACH. */
bool sensor_has_calls(const struct immune_sensor *sensor);
int sensor_want_calls(struct immune_sensor *sensor, bool wanted);
int sensor_want_identity(struct immune_sensor *sensor, bool wanted);

/* Gives sensor->control to the programs. */
int sensor_publish(struct immune_sensor *sensor);

/* Hands on the verdicts that a ring of an earlier process still holds. */
void sensor_rescue(struct immune_sensor *sensor, struct ring *ring);

/* Opens the cgroup v2 root: the path given, else the one that is mounted; fd or -errno. */
int cgroup_open(const char *path);

uint64_t clock_boot_ns(void);

#endif
