// SPDX-License-Identifier: MIT
#include "snapshot_record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "control.h"
#include "immune_record.h"
#include "process.h"
#include "sensor.h"

/* Arguments are counted up to here to say how long they were. */
#define ARGV_COUNTED_BYTES_MAX (2u << 20)
/* Field of /proc/PID/stat that holds the start time, in clock ticks since boot (proc(5)). */
#define STAT_START_FIELD 22

struct process_record {
	struct immune_record_header header;
	struct immune_process_body body;
	struct immune_slot slots[IMMUNE_PROCESS_SLOT_COUNT];
	uint8_t bytes[];
};

static const char deleted_mark[] = " (deleted)";

/*
 * Opens what lies below a folder of /proc itself: where something is mounted over it this fails
 * with EXDEV, and a server that stands behind the mount is not asked. A descriptor or -1.
 */
static int open_bare(int directory, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_RDONLY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
}

/* The folder of a process in /proc, or -1. */
static int folder_open(uint32_t pid)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int folder = -1, error;
	struct statfs about;
	char name[16];

	if (proc < 0)
		return -1;
	snprintf(name, sizeof(name), "%u", pid);
	if (fstatfs(proc, &about) || about.f_type != PROC_SUPER_MAGIC)
		errno = EIO;
	else
		folder = open_bare(proc, name, O_DIRECTORY);
	error = errno;
	close(proc);
	errno = error;
	return folder;
}

/* True when text, of a file stat, is of this process: its start agrees to a clock tick. */
static bool same_process(const char *text, const struct process_key *key)
{
	uint64_t ticks_a_second = (uint64_t)sysconf(_SC_CLK_TCK);
	/* The name, field 2, may hold anything; what follows its last bracket does not. */
	const char *at = strrchr(text, ')');

	for (int field = 2; at && field < STAT_START_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at && strtoul(text, NULL, 10) == key->pid &&
	       strtoull(at + 1, NULL, 10) == key->start_time_ns / (1000000000ull / ticks_a_second);
}

/* Whether /proc has the process; its folder, or -1, goes to `folder`, which the caller closes. */
static enum shown shown_as(const struct process_key *key, int *folder)
{
	char text[1024];
	ssize_t length = -1;
	int fd = -1, error = 0;

	*folder = folder_open(key->pid);
	if (*folder >= 0)
		fd = open_bare(*folder, "stat", 0);
	if (fd >= 0)
		length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error)
		return error == ENOENT || error == EXDEV ? SHOWN_NOT : SHOWN_UNKNOWN;
	text[length] = 0;
	return same_process(text, key) ? SHOWN_AS_IT_IS : SHOWN_NOT;
}

enum shown process_shown(const struct process_key *key)
{
	int folder;
	enum shown shown = shown_as(key, &folder);

	if (folder >= 0)
		close(folder);
	return shown;
}

static void slot_set(struct process_record *record, int index, uint32_t length, uint32_t original)
{
	struct immune_slot *slot = &record->slots[index];

	slot->offset = (uint16_t)record->header.length;
	slot->length = (uint16_t)length;
	slot->original_length = original;
	if (original > length)
		record->header.flags |= IMMUNE_FLAG_TRUNCATED;
	record->header.length += length;
}

static void link_append(struct process_record *record, int directory, const char *name, int index)
{
	char *to = (char *)record + record->header.length;
	ssize_t length = readlinkat(directory, name, to, IMMUNE_PATH_BYTES_MAX);
	const size_t mark = sizeof(deleted_mark) - 1;

	if (length <= 0) {
		/* A kernel thread has no image. */
		if (!(record->header.flags & IMMUNE_FLAG_KERNEL_THREAD))
			record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
		return;
	}
	if ((size_t)length > mark && !memcmp(to + length - mark, deleted_mark, mark)) {
		length -= (ssize_t)mark;
		record->header.flags |= IMMUNE_FLAG_DELETED;
	}
	if (to[0] != '/')
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
	slot_set(record, index, (uint32_t)length, (uint32_t)length);
}

static void argv_append(struct process_record *record, int directory)
{
	uint8_t *to = (uint8_t *)record + record->header.length;
	int fd = open_bare(directory, "cmdline", 0);
	uint32_t kept = 0, whole = 0;
	uint8_t rest[4096];

	if (fd < 0) {
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
		return;
	}
	while (whole < ARGV_COUNTED_BYTES_MAX) {
		bool keep = kept < IMMUNE_ARGV_BYTES_MAX;
		ssize_t got = keep ? read(fd, to + kept, IMMUNE_ARGV_BYTES_MAX - kept)
				   : read(fd, rest, sizeof(rest));

		if (got <= 0)
			break;
		whole += (uint32_t)got;
		if (keep)
			kept += (uint32_t)got;
	}
	close(fd);
	slot_set(record, IMMUNE_PROCESS_SLOT_ARGV, kept, whole);
}

static void header_fill(struct process_record *record, const struct immune_snapshot_entry *entry,
			uint64_t sequence)
{
	memset(record, 0, sizeof(*record));
	record->header = (struct immune_record_header){
		.length = sizeof(*record),
		.header_length = sizeof(record->header),
		.body_length = sizeof(record->body),
		.kind = IMMUNE_KIND_PROCESS,
		.source = (uint16_t)IMMUNE_SOURCE_SNAPSHOT,
		.slot_count = IMMUNE_PROCESS_SLOT_COUNT,
		.version = IMMUNE_RECORD_VERSION,
		.flags = entry->flags,
		.pid = entry->pid,
		.time_ns = clock_boot_ns(),
		.sequence = sequence,
		.tid = entry->pid,
		.parent_pid = entry->parent_pid,
		.start_time_ns = entry->start_time_ns,
		.parent_start_time_ns = entry->parent_start_time_ns,
		.uid = entry->uid,
		.gid = entry->gid,
		.cgroup_id = entry->cgroup_id,
	};
	record->body = (struct immune_process_body){
		.real_uid = entry->real_uid,
		.real_gid = entry->real_gid,
		.parent_uid = entry->parent_uid,
		.device = entry->device,
		.inode = entry->inode,
	};
}

bool process_lives(int processes, const struct process_key *key)
{
	struct immune_process process;

	return !bpf_map_lookup_elem(processes, &key->pid, &process) &&
	       process.start_time_ns == key->start_time_ns;
}

uint32_t snapshot_record(const struct immune_snapshot_entry *entry, uint64_t sequence,
			 int processes, uint8_t *to)
{
	const struct process_key key = { entry->start_time_ns, entry->pid };
	struct process_record *record = (struct process_record *)to;
	enum shown shown;
	int directory;

	header_fill(record, entry, sequence);
	shown = shown_as(&key, &directory);
	if (shown == SHOWN_AS_IT_IS) {
		link_append(record, directory, "exe", IMMUNE_PROCESS_SLOT_IMAGE);
		argv_append(record, directory);
		link_append(record, directory, "cwd", IMMUNE_PROCESS_SLOT_CWD);
	} else {
		record->header.flags |= IMMUNE_FLAG_UNRESOLVED;
		/* It lives, and was not shown a moment ago or as another one: somebody hides it. */
		if (shown == SHOWN_NOT && processes >= 0 && process_lives(processes, &key))
			record->header.flags |= IMMUNE_FLAG_HIDDEN;
	}
	if (directory >= 0)
		close(directory);
	while (record->header.length % IMMUNE_RECORD_ALIGNMENT)
		to[record->header.length++] = 0;
	return record->header.length;
}
