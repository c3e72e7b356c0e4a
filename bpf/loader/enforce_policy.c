// SPDX-License-Identifier: MIT
/* Takes policies over: written beside the one in force, then published by one store. */
#include "enforce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "enforce_watch.h"

#include "enforce.skel.h"

/* A table's rows: what they are made of, and where in a key its generation stands. */
static const struct {
	const char *name;
	uint32_t key_bytes;
	uint32_t value_bytes;
	uint32_t generation_at;
	uint32_t rows_max;
} tables[IMMUNE_TABLE_COUNT] = {
#define TABLE(name, key, value, rows) \
	{ name, sizeof(struct key), sizeof(struct value), offsetof(struct key, generation), rows }
	[IMMUNE_TABLE_ROLES] = TABLE("roles", immune_value_key, immune_entries,
				     IMMUNE_ENFORCED_VALUES_MAX),
	[IMMUNE_TABLE_USERS] = TABLE("users", immune_value_key, immune_entries,
				     IMMUNE_ENFORCED_VALUES_MAX),
	[IMMUNE_TABLE_SESSIONS] = TABLE("sessions", immune_session_key, immune_entries,
					IMMUNE_ENFORCED_VALUES_MAX),
	[IMMUNE_TABLE_PROTOCOLS] = TABLE("protocols", immune_value_key, immune_entries,
					 IMMUNE_ENFORCED_VALUES_MAX),
	[IMMUNE_TABLE_PATHS] = TABLE("paths", immune_path_key, immune_enforced_path,
				     IMMUNE_ENFORCED_PATHS_MAX),
	[IMMUNE_TABLE_TREES] = TABLE("trees", immune_tree_key, immune_entries,
				     IMMUNE_ENFORCED_PATHS_MAX),
	[IMMUNE_TABLE_FILES] = TABLE("files", immune_file_key, immune_enforced_file,
				     IMMUNE_ENFORCED_FILES_MAX),
	[IMMUNE_TABLE_ADDRESSES] = TABLE("addresses", immune_address_key, immune_entries,
					 IMMUNE_ENFORCED_VALUES_MAX),
	[IMMUNE_TABLE_PORTS] = TABLE("ports", immune_port_key, immune_entries,
				     IMMUNE_ENFORCED_VALUES_MAX),
};

/* Room for the largest key and value. */
#define KEY_BYTES_MAX 264

/* Marks and hashes, which are no rows of the kernel's tables. */
static uint32_t rest_bytes(const struct immune_enforce_header *header)
{
	return header->mark_count * (uint32_t)sizeof(struct immune_enforce_mark) +
	       header->hash_count * (uint32_t)sizeof(struct immune_enforce_hash);
}

static int refuse(const char *what, uint64_t at)
{
	immune_fail("Cannot use this enforcement policy: %s at byte %llu", what,
		    (unsigned long long)at);
	return -EINVAL;
}

static int blob_check(const uint8_t *blob, uint32_t length, struct immune_enforce_header *header)
{
	uint64_t wanted = sizeof(*header) + sizeof(struct immune_enforcement);

	if (!blob || length < wanted || length > IMMUNE_ENFORCE_BYTES_MAX)
		return refuse("a length that no policy has", length);
	memcpy(header, blob, sizeof(*header));
	if (header->magic != IMMUNE_ENFORCE_MAGIC || header->version != IMMUNE_ENFORCE_VERSION)
		return refuse("magic or version is not known", 0);
	if (header->length != length || header->header_length != sizeof(*header))
		return refuse("a length that does not agree",
			      offsetof(struct immune_enforce_header, length));
	for (int i = 0; i < IMMUNE_TABLE_COUNT; i++) {
		if (header->rows[i] > tables[i].rows_max)
			return refuse("too many rows of a table",
				      offsetof(struct immune_enforce_header, rows) + 4 * i);
		wanted += (uint64_t)header->rows[i] *
			  (tables[i].key_bytes + tables[i].value_bytes);
	}
	if (header->mark_count > IMMUNE_ENFORCE_MARKS_MAX)
		return refuse("too many marks", offsetof(struct immune_enforce_header, mark_count));
	if (header->hash_count > IMMUNE_ENFORCE_HASHES_MAX)
		return refuse("too many hashes", offsetof(struct immune_enforce_header, hash_count));
	wanted += rest_bytes(header);
	if (wanted != length)
		return refuse("rows are cut, or bytes follow them", wanted);
	return 0;
}

/* Takes all rows of one generation out of a table. */
static void table_clear(int fd, int table, uint32_t generation)
{
	uint8_t key[KEY_BYTES_MAX], next[KEY_BYTES_MAX];
	bool first = true;

	/* Bounded by the rows of both generations: each turn passes or removes one. */
	for (uint32_t i = 0; i < 2 * tables[table].rows_max; i++) {
		uint32_t row;

		if (bpf_map_get_next_key(fd, first ? NULL : key, next))
			return;
		memcpy(&row, next + tables[table].generation_at, sizeof(row));
		if (row != generation) {
			memcpy(key, next, tables[table].key_bytes);
			first = false;
			continue;
		}
		/* The one before it is still there, so the walk goes on from it. */
		bpf_map_delete_elem(fd, next);
	}
}

static void policy_clear(struct immune_enforce *enforce, uint32_t generation)
{
	for (int i = 0; i < IMMUNE_TABLE_COUNT; i++)
		table_clear(enforce_table_fd(enforce, i), i, generation);
}

static int table_write(struct immune_enforce *enforce, int table, const uint8_t *rows,
		       uint32_t count, uint32_t generation)
{
	uint32_t key_bytes = tables[table].key_bytes, value_bytes = tables[table].value_bytes;
	int fd = enforce_table_fd(enforce, table);
	_Alignas(8) uint8_t key[KEY_BYTES_MAX], value[KEY_BYTES_MAX];

	table_clear(fd, table, generation);
	for (uint32_t i = 0; i < count; i++, rows += key_bytes + value_bytes) {
		memcpy(key, rows, key_bytes);
		memcpy(key + tables[table].generation_at, &generation, sizeof(generation));
		memcpy(value, rows + key_bytes, value_bytes);
		if (bpf_map_update_elem(fd, key, value, BPF_ANY)) {
			int error = -errno;

			immune_fail("Cannot write row %u of table \"%s\": %s", i,
				    tables[table].name, strerror(-error));
			return error;
		}
	}
	return 0;
}

int enforce_publish(struct immune_enforce *enforce, const struct immune_enforced *next)
{
	uint32_t key = 0;

	if (bpf_map_update_elem(bpf_map__fd(enforce->programs->maps.enforced), &key, next,
				BPF_ANY)) {
		int error = -errno;

		immune_fail("Cannot publish the enforcement policy: %s", strerror(-error));
		return error;
	}
	enforce->now = *next;
	return 0;
}

/* Rows, marks and hashes of a policy under a generation that nobody judges by yet. Returns how many
 * places were not marked, or a negative errno. */
static int policy_write(struct immune_enforce *enforce, const uint8_t *blob,
			const struct immune_enforce_header *header, uint32_t generation)
{
	const uint8_t *rows = blob + sizeof(*header) + sizeof(struct immune_enforcement);
	struct immune_enforcement policy;
	uint32_t slot = generation & 1;
	int error = 0;

	memcpy(&policy, blob + sizeof(*header), sizeof(policy));
	if (bpf_map_update_elem(bpf_map__fd(enforce->programs->maps.enforcements), &slot, &policy,
				BPF_ANY))
		return -errno;
	for (int i = 0; i < IMMUNE_TABLE_COUNT && !error; i++) {
		error = table_write(enforce, i, rows, header->rows[i], generation);
		rows += header->rows[i] * (tables[i].key_bytes + tables[i].value_bytes);
	}
	if (!error && enforce->watch) {
		const struct enforce_watch_rest about = { generation, header->mark_count,
							  header->hash_count };

		error = enforce_watch_prepare(enforce->watch, rows, &about);
	}
	return error;
}

/* Puts a policy in force, and returns the same; when that fails the one before stays, as it was. */
static int policy_put(struct immune_enforce *enforce, const uint8_t *blob,
		      const struct immune_enforce_header *header)
{
	struct immune_enforced next = enforce->now;
	uint32_t before = next.generation;
	int error, unmarked;

	next.generation++;
	/* 0 says that there is no policy. */
	next.generation += !next.generation;
	next.tiers = enforce->options.tiers;
	next.own_pid = (uint32_t)getpid();
	next.own_start_ticks = (uint64_t)process_start_ticks((uint32_t)getpid());
	error = policy_write(enforce, blob, header, next.generation);
	unmarked = error;
	if (error >= 0)
		error = enforce_publish(enforce, &next);
	if (enforce->watch)
		enforce_watch_switch(enforce->watch, !error);
	/* Taken out when nobody judges by it any more. */
	policy_clear(enforce, error ? next.generation : before);
	enforce_note(enforce);
	return error ? error : unmarked;
}

IMMUNE_EXPORT int64_t immune_enforce_policy(struct immune_enforce *enforce, const uint8_t *blob,
					    uint32_t length)
{
	struct immune_enforce_header header;
	int error, unmarked = 0;

	if (!enforce)
		return immune_misused("enforce a policy");
	immune_begin();
	error = blob_check(blob, length, &header);
	if (error)
		return error;
	pthread_mutex_lock(&enforce->lock);
	error = policy_put(enforce, blob, &header);
	if (error > 0) {
		unmarked = error;
		error = 0;
	}
	if (!error && !enforce->took_over) {
		/* Its own pins first: at no moment is nothing pinned. */
		error = enforce->options.pinned ? enforce_pin(enforce) : 0;
		if (!error)
			error = enforce_take_over(enforce);
		/* It did not come into force as it was to: nothing of it may stay. */
		if (error)
			enforce_unpin(enforce);
		enforce->took_over = !error;
	}
	pthread_mutex_unlock(&enforce->lock);
	return immune_end("enforce this policy", error ? error : unmarked);
}

IMMUNE_EXPORT int64_t immune_enforce_look(struct immune_enforce *enforce)
{
	int error = 0;

	if (!enforce)
		return immune_misused("mark what came since the policy");
	immune_begin();
	pthread_mutex_lock(&enforce->lock);
	if (enforce->watch && enforce->now.generation)
		error = enforce_watch_look(enforce->watch);
	pthread_mutex_unlock(&enforce->lock);
	return immune_end("mark what came since the policy", error);
}

IMMUNE_EXPORT int64_t immune_enforce_left(struct immune_enforce *enforce,
					  struct immune_left_row *rows, uint32_t capacity)
{
	uint32_t count = 0;

	if (!enforce || (!rows && capacity))
		return immune_misused("tell what is left out");
	pthread_mutex_lock(&enforce->lock);
	for (int i = 0; i < IMMUNE_LEFT_COUNT && enforce->watch; i++) {
		const struct immune_left_row *row = &enforce_watch_left(enforce->watch)->rows[i];

		if (!row->count)
			continue;
		if (count < capacity)
			rows[count] = *row;
		count++;
	}
	pthread_mutex_unlock(&enforce->lock);
	return count;
}

IMMUNE_EXPORT int64_t immune_enforce_asks(struct immune_enforce *enforce, uint64_t device)
{
	int64_t asks;

	if (!enforce)
		return immune_misused("tell whether a file system is asked about");
	pthread_mutex_lock(&enforce->lock);
	asks = !enforce->watch || enforce_watch_asks(enforce->watch, device);
	pthread_mutex_unlock(&enforce->lock);
	return asks;
}

IMMUNE_EXPORT int64_t immune_enforce_pause(struct immune_enforce *enforce, uint32_t paused)
{
	struct immune_enforced next, found;
	uint32_t key = 0;
	int64_t result;

	if (!enforce || paused > 1)
		return immune_misused("pause enforcement");
	immune_begin();
	pthread_mutex_lock(&enforce->lock);
	next = enforce->now;
	next.paused = paused;
	result = enforce_publish(enforce, &next);
	if (!result && bpf_map_lookup_elem(bpf_map__fd(enforce->programs->maps.enforced), &key,
					   &found))
		result = -errno;
	else if (!result)
		result = found.paused;
	pthread_mutex_unlock(&enforce->lock);
	return immune_end("pause enforcement", result);
}
