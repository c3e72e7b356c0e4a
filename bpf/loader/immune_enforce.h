/* SPDX-License-Identifier: MIT */
/*
 * Saying no: the enforcing programs beside a sensor. As immune_sensor.h, whose rules of calls and
 * errors hold here too. Contract: specs/enforcement.md.
 */
#ifndef IMMUNE_ENFORCE_H
#define IMMUNE_ENFORCE_H

#include "immune_sensor.h"

#define IMMUNE_ENFORCE_ABI 1

/* Policy blob: this header, a struct immune_enforcement, then the rows of each table in the order of
 * enum immune_table; a row is the table's key, its generation 0, and its value
 * (bpf/lib/enforcement.h). Then marks and hashes of the fanotify tier. Little-endian. */
#define IMMUNE_ENFORCE_MAGIC 0x464e4549u /* "IENF" */
#define IMMUNE_ENFORCE_VERSION 1
#define IMMUNE_ENFORCE_BYTES_MAX (8u << 20)

enum immune_table {
	IMMUNE_TABLE_ROLES = 0,
	IMMUNE_TABLE_USERS = 1,
	IMMUNE_TABLE_SESSIONS = 2,
	IMMUNE_TABLE_PROTOCOLS = 3,
	IMMUNE_TABLE_PATHS = 4,
	IMMUNE_TABLE_TREES = 5,
	IMMUNE_TABLE_FILES = 6,
	IMMUNE_TABLE_ADDRESSES = 7,
	IMMUNE_TABLE_PORTS = 8,
	IMMUNE_TABLE_COUNT = 9,
};

struct immune_enforce_header {
	uint32_t magic;
	uint16_t version;
	uint16_t header_length;
	uint32_t length; /* whole blob in bytes */
	uint32_t hash_count;
	uint32_t rows[IMMUNE_TABLE_COUNT];
	uint32_t mark_count;
};

#define IMMUNE_ENFORCE_MARKS_MAX 4096

enum immune_mark_place {
	IMMUNE_PLACE_FILE = 1, /* this file, and the name in its directory */
	IMMUNE_PLACE_TREE = 2, /* files in this directory and below, same file system */
	IMMUNE_PLACE_EVERYWHERE = 3, /* every file system that is mounted; path is "/" */
	/* The file alone, whatever its names; path is one of /proc/self/fd, for this call. The last marks. */
	IMMUNE_PLACE_OPENED = 4,
};

enum immune_mark_event {
	IMMUNE_EVENT_EXEC = 1,
	IMMUNE_EVENT_OPEN = 2,
};

struct immune_enforce_mark {
	uint32_t place;
	uint32_t events; /* bits of enum immune_mark_event */
	char path[256]; /* absolute, NUL-ended */
};

#define IMMUNE_ENFORCE_HASHES_MAX 4096

/* A program's hash and the entries that list it. */
struct immune_enforce_hash {
	uint8_t sha256[32];
	uint64_t entries;
};

struct immune_enforce_options {
	uint32_t abi; /* IMMUNE_ENFORCE_ABI */
	uint32_t tiers; /* bit k: tier k (enum immune_tier) may refuse */
	uint32_t pinned; /* 1: stays in the kernel when this process ends */
	uint32_t paused; /* 1: refuses nothing until immune_enforce_pause() with 0 */
	char pin_path[IMMUNE_OPTION_PATH_BYTES]; /* folder on a BPF file system; made where missing */
};

/* Counters of one tier since the programs were loaded. */
struct immune_enforce_row {
	uint32_t tier;
	uint32_t attached; /* programs that the kernel runs now; of fanotify 0, which has none */
	uint64_t judged;
	uint64_t refused;
	uint64_t monitored;
	uint64_t capped;
	uint64_t failed; /* signals that were not sent, acts that nobody could judge or not in time */
	uint64_t hashed; /* programs; one that changed, or was forgotten, again */
};

/* What fanotify is not asked about, though the policy in force has it; the worst first. */
enum immune_left_what {
	IMMUNE_LEFT_DIRECTORIES = 0, /* a tree has too many; path is the tree */
	IMMUNE_LEFT_NAMESPACE = 1, /* too many mount namespaces; path is a process's */
	IMMUNE_LEFT_MOUNT = 2, /* too much is mounted, or it cannot be reached */
	IMMUNE_LEFT_PLACE = 3, /* it cannot be marked */
	IMMUNE_LEFT_SERVED = 4, /* a program serves it (FUSE) */
	IMMUNE_LEFT_COUNT = 5,
};

struct immune_left_row {
	uint32_t what; /* enum immune_left_what */
	uint32_t count; /* places; of directories those that were counted */
	char path[256]; /* of the first one, NUL-ended */
	char reason[64]; /* of that, NUL-ended */
};

/* What one tier can do on this host, found out by doing it. */
enum immune_enforce_trial {
	IMMUNE_TRIAL_LSM_EXEC = 0,
	IMMUNE_TRIAL_LSM_CONNECT = 1,
	IMMUNE_TRIAL_LSM_OPEN = 2,
	IMMUNE_TRIAL_CGROUP_CONNECT = 3,
	IMMUNE_TRIAL_FANOTIFY_EXEC = 4,
	IMMUNE_TRIAL_FANOTIFY_OPEN = 5,
	IMMUNE_TRIAL_SIGNAL_EXEC = 6,
	IMMUNE_TRIAL_COUNT = 7,
};

#define IMMUNE_HANDLE_BYTES_MAX 128

/* A file as user space names it to the kernel. */
struct immune_file_about {
	uint32_t device; /* as stat(2) has it, kernel encoding */
	uint32_t changed_ns;
	uint64_t inode;
	uint64_t changed_s;
	uint64_t bytes;
	uint32_t links;
	uint32_t kernel_device; /* as programs in the kernel see it; 0 = that cannot be told */
	uint8_t sha256[32]; /* zeros where it was not asked for */
	uint64_t kernel_inode;
	int32_t handle_type;
	uint32_t handle_bytes; /* 0: its file system has no handles for files */
	uint8_t handle[IMMUNE_HANDLE_BYTES_MAX]; /* by which it is found under any name */
};

enum immune_about_flag {
	IMMUNE_ABOUT_HASH = 1,
	IMMUNE_ABOUT_NO_FOLLOW = 2, /* a symbolic link is no regular file */
};

struct immune_enforce;

/* Loads the programs onto the maps and rings of a sensor, and attaches them; nothing is refused
 * until a policy is set. The sensor must live longer. */
int64_t immune_enforce_open(struct immune_sensor *sensor,
			    const struct immune_enforce_options *options,
			    struct immune_enforce **out);

/* Replaces the policy, at one instant. A blob that does not hold is EINVAL and changes nothing.
 * The first one also takes over what an earlier process left pinned. Returns how many of its places
 * fanotify is not asked about (0 = none): nothing that lies on the host ends a policy. The first of
 * them and why stand in immune_error(). */
int64_t immune_enforce_policy(struct immune_enforce *enforce, const uint8_t *blob, uint32_t length);

/* Marks, for fanotify, what came since to the places of the policy in force; returns the same. */
int64_t immune_enforce_look(struct immune_enforce *enforce);

/* What of its places fanotify was not asked about at the last of both; returns how many rows. */
int64_t immune_enforce_left(struct immune_enforce *enforce, struct immune_left_row *rows,
			    uint32_t capacity);

/* Whether fanotify asks by hash about programs of a file system (kernel encoding of its device), or
 * the policy names no hashes. */
int64_t immune_enforce_asks(struct immune_enforce *enforce, uint64_t device);

/* Refuses nothing until it is called with 0; returns what the kernel has afterwards. */
int64_t immune_enforce_pause(struct immune_enforce *enforce, uint32_t paused);

/* Rows of counters; returns how many there are. */
int64_t immune_enforce_counts(struct immune_enforce *enforce, struct immune_enforce_row *rows,
			      uint32_t capacity);

/* Ids of the programs, as of immune_sensor_program_ids(). */
int64_t immune_enforce_program_ids(struct immune_enforce *enforce, uint32_t *ids,
				   uint32_t capacity);

/* As immune_sensor_verify(), of the programs, tables and pins of enforcement. Links, pins and what is
 * in force are put right; tables by giving the policy again. */
int64_t immune_enforce_verify(struct immune_enforce *enforce, struct immune_verify_row *rows,
			      uint32_t capacity);

/* Detaches, unless it is pinned: then the kernel goes on. */
int64_t immune_enforce_close(struct immune_enforce *enforce);

/* Removes what is pinned in a folder; returns how many links that were. ids (may be null) gets the
 * programs behind them, as many as fit, for immune_programs_left(). */
int64_t immune_enforce_release(const char *pin_path, uint32_t *ids, uint32_t capacity);

/* How many sets are pinned in a folder, whoever pinned them; none where there is no such folder. */
int64_t immune_enforce_pinned(const char *pin_path);

/* Tries each tier by an act of its own that it must refuse; returns rows written. `capability` of a
 * row is an enum immune_enforce_trial. Takes up to 4 s. */
int64_t immune_enforce_trial(const struct immune_options *options,
			     struct immune_capability_row *rows, uint32_t capacity);

/* Identity of a regular file. flags: enum immune_about_flag. EFBIG: more than it hashes. */
int64_t immune_file_about(const char *path, uint32_t flags, struct immune_file_about *about);

/* Finds a file again that was at a path once, under whatever name: returns a descriptor of it (O_PATH),
 * for immune_file_close(). ESTALE: it has no name any more; EOPNOTSUPP: it cannot be told. */
int64_t immune_file_again(const char *path, const struct immune_file_about *about);
int64_t immune_file_close(int64_t descriptor);

#endif
