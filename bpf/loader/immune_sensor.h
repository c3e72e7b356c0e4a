/* SPDX-License-Identifier: MIT */
/*
 * The one door between the agent and a kernel. Linux stands behind it in
 * bpf/loader, the BSDs in kernel/loader. Contract: specs/sensor.md.
 *
 * Calls return 0 or a count, or a negative errno. immune_error() then has one
 * line for people: what failed, where, what to do. One thread polls; every
 * other call may come from any thread. Nothing here keeps what it read; only the
 * self-test starts processes and makes a file, both of its own and gone afterwards.
 */
#ifndef IMMUNE_SENSOR_H
#define IMMUNE_SENSOR_H

#include <stdint.h>

#define IMMUNE_SENSOR_ABI 3

/*
 * Policy blob: this header, then watches, marks, terms, as many as it says; where it has classes of
 * ports, the filter of connections: networks, terms of the classes (u64), the class of each port (u8,
 * 65,536 of them), listed addresses; last the keys of listed files (u64). Little-endian.
 */
#define IMMUNE_POLICY_MAGIC 0x4c4f5049u /* "IPOL" */
#define IMMUNE_POLICY_VERSION 5
#define IMMUNE_POLICY_BYTES_MAX (8u << 20)
#define IMMUNE_WATCHES_MAX 4096

enum immune_policy_flag {
	/* Report every successful open of the host, not only the watched ones. */
	IMMUNE_POLICY_WIDE_OPEN = 1,
	/* Report changes of user and group ids. */
	IMMUNE_POLICY_IDENTITY = 2,
	/* Accepts and flows with peers in private networks are counted as filtered. */
	IMMUNE_POLICY_PUBLIC_PEERS = 4,
	/* Of the wide stream, opens that no mark of opened files asks for are counted as filtered. */
	IMMUNE_POLICY_OPEN_FILTER = 8,
	/* Acts, and accesses that send no signal; each only if its kind is wanted, too. */
	IMMUNE_POLICY_CALLS = 16,
	/* SHA-256 of programs that start and of watched files, once a version of a file. */
	IMMUNE_POLICY_HASHES = 32,
	/* ... and for each start besides. */
	IMMUNE_POLICY_HASH_EACH = 64,
	/* Records of connections that the filter says nobody needs are counted as filtered. */
	IMMUNE_POLICY_NETWORK_FILTER = 128,
	/* More addresses are listed than the blob has: any may be. */
	IMMUNE_POLICY_LISTED_ANY = 256,
};

/* Kinds with an address, from the first one on; specs/sensor_filter.md. */
#define IMMUNE_POLICY_NETWORK_KINDS 6

struct immune_policy_header {
	uint32_t magic;
	uint16_t version;
	uint16_t header_length;
	uint32_t length; /* whole blob in bytes */
	uint32_t flags; /* enum immune_policy_flag */
	uint64_t kind_mask; /* bit k: kind k (1 to 63) is wanted; others are counted as filtered */
	uint32_t wake_interval_us; /* what comes after a batch is gathered so long; 0 = not at all */
	uint32_t watch_count;
	uint32_t mark_count; /* of programs and of opened files */
	uint32_t term_count;
	uint32_t open_every; /* opens wanted whatever their path; 1: all, 2: those that may write */
	uint32_t open_deep; /* the same of opens whose whole path decides and not its last name */
	/* Most bulk records a second of one kind and process, and cgroup; 0 = no limit. */
	uint32_t process_rate;
	uint32_t cgroup_rate;
	uint32_t network_count;
	uint32_t class_count; /* classes of ports; 0 = no filter of connections */
	uint32_t listed_count;
	uint32_t network_every; /* bit k: every record of kind k is needed */
	uint64_t network_named; /* terms that no limit is laid on */
	uint64_t network_terms[IMMUNE_POLICY_NETWORK_KINDS]; /* of kind 16 and those after it */
	/* Of the wide stream, opens of files with one of these keys are sent; specs/sensor_filter.md. */
	uint32_t listed_file_count;
	uint32_t reserved;
};

enum immune_watch_type {
	IMMUNE_WATCH_FILE = 1, /* this path, also after it is replaced */
	IMMUNE_WATCH_CHILDREN = 2, /* files directly in this directory */
	IMMUNE_WATCH_TREE = 3, /* files in this directory and below, same file system */
};

/* What is told of a watched object. */
enum immune_watch_want {
	IMMUNE_WATCH_OPENS = 1,
	IMMUNE_WATCH_CHANGES = 2, /* names that come and go, what was written, mode and owner */
};

struct immune_policy_watch {
	uint16_t type; /* enum immune_watch_type */
	uint16_t length; /* bytes of the path, no NUL */
	uint32_t wants; /* enum immune_watch_want; 0 = opens */
	/* path, then zeros to the next multiple of 8 */
};

/* A mark of programs and the bits that it sets; specs/labels.md. */
struct immune_policy_mark {
	uint64_t hash;
	uint64_t bits;
	uint32_t edges; /* 1: a slash before it, 2: a slash after it */
	uint32_t reserved;
};

/* Programs whose bits have all of `all` and none of `none` get this role; the first one counts. */
struct immune_policy_term {
	uint64_t all;
	uint64_t none;
	uint32_t role; /* 1 to 7, or 64 to 119: bpf/lib/process.h */
	uint32_t reserved;
};

/* A network, in the order of their prefixes, and the terms that hold in it. */
struct immune_policy_network {
	uint8_t address[16]; /* network order, IPv4 in the first 4 */
	uint16_t family; /* 2 = IPv4, 10 = IPv6 */
	uint16_t prefix;
	uint32_t reserved;
	uint64_t terms; /* bit 63: its addresses are listed */
};

/* An address that is listed. */
struct immune_policy_listed {
	uint32_t family;
	uint8_t address[16];
};

/* Role and session of a process, found out in user space. */
struct immune_label {
	uint64_t start_time_ns;
	uint64_t session;
	uint64_t time_ns; /* of the record that it was found on */
	uint32_t pid;
	uint32_t role;
};

/* Longest path in the options, its NUL included. */
#define IMMUNE_OPTION_PATH_BYTES 1024

/* Options of immune_sensor_open; an empty path means the default. The paths lie in the struct, so
 * that a caller needs no pointers of its own. */
struct immune_options {
	uint32_t abi; /* IMMUNE_SENSOR_ABI */
	uint32_t lifecycle_ring_bytes; /* a power of two, at least a page; default 4 MiB */
	uint32_t bulk_ring_bytes; /* as that; default 16 MiB, for every open */
	uint32_t reserved;
	char btf_path[IMMUNE_OPTION_PATH_BYTES]; /* default /sys/kernel/btf/vmlinux */
	/* cgroup v2 root; default found in /proc/self/mountinfo */
	char cgroup_path[IMMUNE_OPTION_PATH_BYTES];
};

/* Counters of one kind on one CPU: seen = the sum of the others. */
struct immune_counters {
	uint64_t seen;
	uint64_t submitted;
	uint64_t filtered;
	uint64_t ring_full;
	uint64_t oversized;
	uint64_t unreadable;
	uint64_t folded; /* over a limit of its process or cgroup */
};

struct immune_stats_row {
	uint16_t kind;
	uint16_t source; /* as in the records: CPU, 0x4000 + CPU, 0xF000, 0xF001 */
	uint32_t reserved;
	uint64_t sequence; /* last sequence number taken */
	struct immune_counters counters;
};

/* Capabilities: each was tried on this host when it was asked for, not guessed. */
enum immune_capability {
	IMMUNE_CAP_EXEC = 0, /* exec, fork, exit records */
	IMMUNE_CAP_SNAPSHOT = 1, /* processes older than the sensor */
	IMMUNE_CAP_CONNECT = 2, /* connect and bind records */
	IMMUNE_CAP_WATCH = 3, /* watched opens by fanotify permission events */
	IMMUNE_CAP_WIDE_OPEN = 4, /* the wide stream of opens */
	IMMUNE_CAP_IDENTITY = 5, /* changes of ids */
	IMMUNE_CAP_FLOW = 6, /* listen, accept and flow records */
	IMMUNE_CAP_DNS = 7, /* questions to DNS servers and their answers */
	IMMUNE_CAP_SIGNAL = 8, /* signals to guarded processes */
	IMMUNE_CAP_BLOOM = 9, /* what is listed told from the rest in the kernel */
	IMMUNE_CAP_ACCESS = 10, /* memory, environment and descriptors of guarded processes */
	IMMUNE_CAP_ACT = 11, /* namespaces, mounts, bpf, modules, memory made executable */
	IMMUNE_CAP_DEVICE = 12, /* opens of watched devices */
	IMMUNE_CAP_CHANGE = 13, /* changes of watched files */
	IMMUNE_CAP_HASH = 14, /* SHA-256 of programs and watched files */
	IMMUNE_CAP_RING_OPEN = 15, /* opens by io_uring in the wide stream */
	IMMUNE_CAP_COUNT = 16,
};

enum immune_capability_state {
	IMMUNE_CAP_UNTRIED = 0,
	IMMUNE_CAP_WORKS = 1, /* loaded, attached, triggered, observed */
	IMMUNE_CAP_REFUSED = 2, /* the kernel or missing privilege refused it; error says which */
	IMMUNE_CAP_SILENT = 3, /* attached without error, trigger not observed */
};

struct immune_capability_row {
	uint16_t capability;
	uint16_t state;
	int32_t error; /* errno, or 0 */
	char reason[120]; /* one line, NUL-ended */
};

struct immune_sensor;

/* Facts that need no sensor: read a file below /proc, /sys/fs/cgroup, /sys/kernel
 * (security, btf); a symbolic link gives its target. No other path is accepted
 * (EPERM). Returns bytes read, at most capacity; a longer file is cut there. */
int64_t immune_read(const char *path, uint8_t *buffer, uint32_t capacity);

/* Nanoseconds since boot, suspend included: the clock of the records. */
int64_t immune_boot_time_ns(void);

/* Last error of the calling thread; returns its length, at most capacity - 1. */
int64_t immune_error(char *buffer, uint32_t capacity);

/* Loads and attaches: lifecycle first, then the snapshot, then the rest. */
int64_t immune_sensor_open(const struct immune_options *options, struct immune_sensor **out);

/* Waits until there are records, at most timeout_ms, then copies whole records
 * (layout of immune_record.h): lifecycle before the bulk that followed it.
 * Returns bytes. A buffer smaller than IMMUNE_RECORD_BYTES_MAX is EINVAL.
 * immune_sensor_wake() ends the wait early. */
int64_t immune_sensor_poll(struct immune_sensor *sensor, uint8_t *buffer, uint32_t capacity,
			   uint32_t timeout_ms);
int64_t immune_sensor_wake(struct immune_sensor *sensor);

/* Rows of counters, one a kind and source that has seen any; returns how many there are, which may
 * be more than capacity. A row of kind 0 counts no records but what a table was asked to hold
 * (ring_full = it was full, filtered = it was there already): those of a CPU the kernel's process
 * map, those of 0x4000 + CPU its maps of who listens and of connections, those of 0x8000 + CPU its
 * map of rates, that of 0xF000 the neighbours of watched files that are not asked about any more
 * (unreadable = the file system cannot); of hashes 0xF005, 0xF009 and 0xF00A (hash.h,
 * hash_apart.h). Sums are exact when nothing runs. */
int64_t immune_sensor_stats(struct immune_sensor *sensor, struct immune_stats_row *rows,
			    uint32_t capacity);

/* Records of one kind that were folded, as their process or cgroup was over its limit. */
struct immune_folded_row {
	uint64_t start_time_ns; /* of the process; 0 for a cgroup */
	uint64_t cgroup_id;
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t pid; /* 0 for a cgroup */
	uint16_t kind;
	uint16_t reserved;
};

/* Takes what was folded since the last call; returns rows, at most capacity: what finds no room is
 * there the next time. Who is taken begins its second anew. */
int64_t immune_sensor_folded(struct immune_sensor *sensor, struct immune_folded_row *rows,
			     uint32_t capacity);

/* What the kernel counts of one program. */
struct immune_program_row {
	char name[32]; /* NUL-ended */
	uint64_t missed; /* calls that it left out, as the program ran on that CPU already */
	uint64_t runs; /* runs and their time, while kernel.bpf_stats_enabled is 1 */
	uint64_t run_time_ns;
	uint32_t attached;
	uint32_t reserved;
};

/* Rows of programs; returns how many there are, which may be more than capacity. */
int64_t immune_sensor_programs(struct immune_sensor *sensor, struct immune_program_row *rows,
			       uint32_t capacity);

/* Replaces the policy. A blob that does not hold is EINVAL and changes nothing; what fails later puts
 * the policy before into force again. Watches that could not be set are counted, and calls that the
 * kernel cannot tell of as one: returns how many (0 = all set), the last one in immune_error(). */
int64_t immune_sensor_policy(struct immune_sensor *sensor, const uint8_t *blob, uint32_t length);

/* How many watches of the policy in force, all set in full with it, are not any more: a device or a
 * folder below /dev came since that there is no room for. Each is a loss of watched opens, too; the
 * last one in immune_error(). */
int64_t immune_sensor_unwatched(struct immune_sensor *sensor);

/* Writes labels into the kernel's process map, for what these processes and their children do from
 * now on. One that has ended, or got another role from its program since, is left alone. Returns
 * how many were written. */
int64_t immune_sensor_label(struct immune_sensor *sensor, const struct immune_label *labels,
			    uint32_t count);

/* Tries each capability on a sensor of its own; returns rows written. Takes up to 10 s. */
int64_t immune_capabilities(const struct immune_options *options,
			    struct immune_capability_row *rows, uint32_t capacity);

/* Signals one process by pidfd after its pid, start time and image agree with what is there.
 * image: expected target of /proc/PID/exe, or null. signal 0 only checks.
 * ESTALE: another process has that pid now. EPERM also for pid 1 and ourselves. */
int64_t immune_process_signal(struct immune_sensor *sensor, uint32_t pid, uint64_t start_time_ns,
			      const char *image, int32_t signal);

/* Ids of the programs that the sensor has in the kernel; returns how many there are. */
int64_t immune_sensor_program_ids(struct immune_sensor *sensor, uint32_t *ids, uint32_t capacity);

/* How many of these programs the kernel has, or cannot be asked about; needs no sensor. */
int64_t immune_programs_left(const uint32_t *ids, uint32_t count);

enum immune_verify_what {
	IMMUNE_VERIFY_PROGRAM = 1, /* it was not attached any more, or its link ran another one */
	IMMUNE_VERIFY_MAP = 2, /* it did not hold what the policy had written */
	IMMUNE_VERIFY_GUARDIAN = 3, /* the process that answers in its place ended, or stood still */
	IMMUNE_VERIFY_HASHER = 4, /* all that read what programs serve wait for servers; until one ends */
	IMMUNE_VERIFY_PIN = 5, /* of enforcement: it was gone, or led to something else */
};

/* Something of the sensor that was not as it had been left. */
struct immune_verify_row {
	uint32_t what; /* enum immune_verify_what */
	uint32_t restored; /* 1: it was put right */
	char name[32]; /* NUL-ended */
};

/* Looks whether what is to be attached is, and whether the maps of the policy hold what was written.
 * Programs, the control map and guardians are put right; marks, terms and networks by giving the
 * policy again; hashers by nobody. Returns how many rows there are, which may be more than capacity. Looks also at some of the processes
 * each time: one that /proc does not show comes with the next records, flagged as hidden. */
int64_t immune_sensor_verify(struct immune_sensor *sensor, struct immune_verify_row *rows,
			     uint32_t capacity);

/* Keeps the memory of this process out of core dumps and from debuggers that are not root's. */
int64_t immune_protect(void);

/* Gives the host back what the C heap of this process holds and does not use. Returns 1 when there
 * was something. */
int64_t immune_settle(void);

/* Lets the program's code go that only its start ran: what is run again comes back from the file.
 * Returns the bytes of code that were let go of, 0 where none were. */
int64_t immune_forget_start(void);

/* Detaches everything; also after a failed poll. The sensor is gone afterwards. */
int64_t immune_sensor_close(struct immune_sensor *sensor);

#endif
