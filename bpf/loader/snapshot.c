// SPDX-License-Identifier: MIT
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "control.h"
#include "immune_record.h"
#include "process.h"

/* Passes over all tasks before a host that forks without end is taken as it is. */
#define PASSES_MAX 16
#define ENTRIES_START 1024

/* Bound of the entries that are kept. */
static uint32_t most_of(const struct snapshot *snapshot)
{
	return snapshot->most ? snapshot->most : IMMUNE_PROCESSES_MAX;
}

/* While a pass runs there may be twice as many as are kept: of a full map some come in each pass. */
static int entry_add(struct snapshot *snapshot, const struct immune_snapshot_entry *entry,
		     uint32_t *over)
{
	if (snapshot->count == 2 * most_of(snapshot)) {
		++*over;
		return 0;
	}
	if (snapshot->count == snapshot->capacity) {
		uint32_t capacity = snapshot->capacity ? snapshot->capacity * 2 : ENTRIES_START;
		void *entries = realloc(snapshot->entries, capacity * sizeof(*entry));

		if (!entries)
			return -ENOMEM;
		snapshot->entries = entries;
		snapshot->capacity = capacity;
	}
	snapshot->entries[snapshot->count++] = *entry;
	return 0;
}

/* A parent started before its children, so the order of start is one of parents first. */
static int by_start(const void *left, const void *right)
{
	const struct immune_snapshot_entry *a = left, *b = right;

	if (a->start_time_ns != b->start_time_ns)
		return a->start_time_ns < b->start_time_ns ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* Orders the entries, each once; those over the bound, the youngest, are counted and let go. */
static void entries_order(struct snapshot *snapshot, uint32_t over)
{
	struct immune_snapshot_entry *entries = snapshot->entries;
	uint32_t most = most_of(snapshot), kept = 0;

	if (!snapshot->count)
		return;
	qsort(entries, snapshot->count, sizeof(*entries), by_start);
	for (uint32_t i = 0; i < snapshot->count; i++)
		if (!i || by_start(&entries[i], &entries[kept - 1]))
			entries[kept++] = entries[i];
	if (kept > most) {
		over += kept - most;
		kept = most;
	}
	/* The same ones may be over in each pass. */
	if (over > snapshot->turned_away)
		snapshot->turned_away = over;
	snapshot->count = kept;
}

/* One pass over all tasks; 0 or -errno. */
static int pass(struct snapshot *snapshot, struct bpf_link *link)
{
	struct immune_snapshot_entry entries[32];
	size_t held = 0; /* bytes: a read may end inside an entry */
	uint32_t over = 0;
	int error = 0;
	int fd = bpf_iter_create(bpf_link__fd(link));

	if (fd < 0)
		return fd;
	while (!error) {
		ssize_t got = read(fd, (uint8_t *)entries + held, sizeof(entries) - held);
		size_t whole;

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0) {
			error = got < 0 ? -errno : 0;
			break;
		}
		held += (size_t)got;
		whole = held / sizeof(entries[0]);
		for (size_t i = 0; i < whole && !error; i++)
			error = entry_add(snapshot, &entries[i], &over);
		held -= whole * sizeof(entries[0]);
		memmove(entries, &entries[whole], held);
	}
	close(fd);
	entries_order(snapshot, over);
	return error;
}

int snapshot_take(struct snapshot *snapshot, struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int error = 0;

	if (!link) {
		error = -errno;
		immune_fail("Cannot list the processes that run: the kernel refused its task "
			    "iterator (%s)", strerror(-error));
		return error;
	}
	for (int i = 0; i < PASSES_MAX && !error; i++) {
		uint32_t before = snapshot->count;

		error = pass(snapshot, link);
		if (snapshot->count == before)
			break;
	}
	bpf_link__destroy(link);
	if (error) {
		immune_fail("Cannot list the processes that run: %s", strerror(-error));
		return error;
	}
	return 0;
}

bool snapshot_agrees(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->count; i++) {
		const struct process_key key = { snapshot->entries[i].start_time_ns,
						 snapshot->entries[i].pid };

		if (process_shown(&key) == SHOWN_AS_IT_IS)
			return true;
	}
	return false;
}

int snapshot_add_hidden(struct snapshot *snapshot, const struct immune_snapshot_entry *entry)
{
	uint32_t over = 0;

	snapshot->looked = true;
	return entry_add(snapshot, entry, &over);
}

bool snapshot_told(const struct snapshot *snapshot, const struct process_key *key)
{
	uint32_t count = snapshot->told_count;

	for (uint32_t i = 0; i < count && i < HIDDEN_TOLD_MAX; i++)
		if (snapshot->told[i].pid == key->pid &&
		    snapshot->told[i].start_time_ns == key->start_time_ns)
			return true;
	return false;
}

/* Whether the record of an entry is for others to see; notes those that are hidden. */
static bool is_told(struct snapshot *snapshot, const struct immune_record_header *header)
{
	const struct process_key key = { header->start_time_ns, header->pid };

	if (!(header->flags & IMMUNE_FLAG_HIDDEN))
		return !snapshot->looked;
	snapshot->told[snapshot->told_count++ % HIDDEN_TOLD_MAX] = key;
	return true;
}

uint32_t snapshot_drain(struct snapshot *snapshot, uint8_t *buffer, uint32_t capacity)
{
	uint32_t used = 0;

	while (snapshot->delivered < snapshot->count &&
	       capacity - used >= IMMUNE_RECORD_BYTES_MAX) {
		uint8_t *to = buffer + used;
		uint32_t length = snapshot_record(&snapshot->entries[snapshot->delivered++],
						  snapshot->sequence + 1, snapshot->processes, to);

		if (!is_told(snapshot, (const void *)to))
			continue;
		snapshot->sequence++;
		used += length;
	}
	if (snapshot->delivered == snapshot->count)
		snapshot_free(snapshot);
	return used;
}

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->entries);
	snapshot->entries = NULL;
	snapshot->count = snapshot->capacity = snapshot->delivered = 0;
	snapshot->looked = false;
}
