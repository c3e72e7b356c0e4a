// SPDX-License-Identifier: MIT
/* Whether the kernel still has what the sensor gave it, and putting right what it has not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guardian.h"
#include "processes.h"
#include "verify.h"
#include "sensor.skel.h"

/* Largest key and value of the maps that are summed up. */
#define KEY_BYTES_MAX 264
#define VALUE_BYTES_MAX (128u << 10)

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const uint8_t *bytes, size_t length, uint64_t hash)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	return hash;
}

uint64_t verify_sum(const struct bpf_map *map)
{
	uint32_t key_bytes = bpf_map__key_size(map), value_bytes = bpf_map__value_size(map);
	uint8_t key[KEY_BYTES_MAX], next[KEY_BYTES_MAX], *value;
	uint32_t entries = bpf_map__max_entries(map);
	int fd = bpf_map__fd(map);
	const void *from = NULL;
	uint64_t sum = 0;

	if (key_bytes > KEY_BYTES_MAX || value_bytes > VALUE_BYTES_MAX)
		return 0;
	value = malloc(value_bytes);
	/* Bounded by what the map can hold: entries that change meanwhile cannot make it endless. */
	for (uint32_t i = 0; value && i < entries && !bpf_map_get_next_key(fd, from, next); i++) {
		memcpy(key, next, key_bytes);
		from = key;
		if (!bpf_map_lookup_elem(fd, key, value))
			sum += hash_of(value, value_bytes,
				       hash_of(key, key_bytes, 0xcbf29ce484222325ull));
	}
	free(value);
	return sum;
}

void verify_note(struct immune_sensor *sensor)
{
	sensor->marks_sum = verify_sum(sensor->programs->maps.marks);
	sensor->terms_sum = verify_sum(sensor->programs->maps.terms);
	sensor->networks_sum = verify_sum(sensor->programs->maps.networks);
	sensor->filters_sum = verify_sum(sensor->programs->maps.network_filters);
}

/* Whether a place has the Bloom map that the policy made; what is in one cannot be read back. */
static bool list_holds(const struct bpf_map *listed, uint32_t made)
{
	uint32_t place = 0, id = 0;

	if (!bpf_map__autocreate(listed))
		return true;
	if (bpf_map_lookup_elem(bpf_map__fd(listed), &place, &id))
		return errno == ENOENT && !made;
	return id == made;
}

static bool is_cgroup_program(const struct bpf_program *program)
{
	enum bpf_prog_type type = bpf_program__type(program);

	return type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR || type == BPF_PROG_TYPE_CGROUP_SKB ||
	       type == BPF_PROG_TYPE_CGROUP_SOCK || type == BPF_PROG_TYPE_CGROUP_DEVICE;
}

bool verify_link(const struct bpf_program *program, const struct bpf_link *link)
{
	struct bpf_link_info info = { 0 };
	struct bpf_prog_info ours = { 0 };
	uint32_t length = sizeof(info), ours_length = sizeof(ours);

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &length) ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &ours, &ours_length))
		return false;
	if (info.prog_id != ours.id)
		return false;
	return info.type != BPF_LINK_TYPE_CGROUP || info.cgroup.cgroup_id;
}

bool verify_attach(const struct immune_sensor *sensor, struct bpf_program *program,
		   struct bpf_link **link)
{
	struct bpf_link *fresh;

	immune_log_begin();
	fresh = is_cgroup_program(program) ? bpf_program__attach_cgroup(program, sensor->cgroup)
					   : bpf_program__attach(program);
	if (!fresh)
		return false;
	bpf_link__destroy(*link);
	*link = fresh;
	return true;
}

void verify_found(struct verify_found *found, uint32_t what, bool restored, const char *name)
{
	struct immune_verify_row *row = &found->rows[found->count];

	if (found->count++ >= found->capacity)
		return;
	memset(row, 0, sizeof(*row));
	row->what = what;
	row->restored = restored;
	strncpy(row->name, name, sizeof(row->name) - 1);
}

/* Whether the map of processes lacks what happens while this program is off. */
static bool keeps_processes(const struct sensor_bpf *programs, const struct bpf_program *program)
{
	return program == programs->progs.on_fork || program == programs->progs.on_exec ||
	       program == programs->progs.on_exit;
}

static void verify_programs(struct immune_sensor *sensor, struct verify_found *all)
{
	const struct bpf_object_skeleton *skeleton = sensor->programs->skeleton;

	for (int i = 0; i < skeleton->prog_cnt; i++) {
		const struct bpf_prog_skeleton *entry =
			(const void *)((const char *)skeleton->progs + i * skeleton->prog_skel_sz);
		bool restored;

		if (!entry->link || !*entry->link || verify_link(*entry->prog, *entry->link))
			continue;
		restored = verify_attach(sensor, *entry->prog, entry->link);
		if (restored && keeps_processes(sensor->programs, *entry->prog))
			sensor->processes_stale = true;
		verify_found(all, IMMUNE_VERIFY_PROGRAM, restored, entry->name);
	}
}

static void verify_maps(struct immune_sensor *sensor, struct verify_found *all)
{
	struct immune_control now = { 0 };
	uint32_t key = 0;
	int fd = bpf_map__fd(sensor->programs->maps.control);

	if (bpf_map_lookup_elem(fd, &key, &now) || memcmp(&now, &sensor->control, sizeof(now)))
		verify_found(all, IMMUNE_VERIFY_MAP, !sensor_publish(sensor), "control");
	/* Of these the policy has to be given again: only its owner has it. */
	if (verify_sum(sensor->programs->maps.marks) != sensor->marks_sum)
		verify_found(all, IMMUNE_VERIFY_MAP, false, "marks");
	if (verify_sum(sensor->programs->maps.terms) != sensor->terms_sum)
		verify_found(all, IMMUNE_VERIFY_MAP, false, "terms");
	if (verify_sum(sensor->programs->maps.networks) != sensor->networks_sum)
		verify_found(all, IMMUNE_VERIFY_MAP, false, "networks");
	if (verify_sum(sensor->programs->maps.network_filters) != sensor->filters_sum)
		verify_found(all, IMMUNE_VERIFY_MAP, false, "network_filters");
	if (!list_holds(sensor->programs->maps.listed, sensor->listed_id))
		verify_found(all, IMMUNE_VERIFY_MAP, false, "listed");
	if (!list_holds(sensor->programs->maps.listed_files, sensor->listed_files_id))
		verify_found(all, IMMUNE_VERIFY_MAP, false, "listed_files");
}

IMMUNE_EXPORT int64_t immune_sensor_verify(struct immune_sensor *sensor,
					   struct immune_verify_row *rows, uint32_t capacity)
{
	struct verify_found all = { .rows = rows, .capacity = capacity };
	bool guarded;

	if (!sensor || (!rows && capacity))
		return immune_misused("look after the sensor");
	pthread_mutex_lock(&sensor->policy_lock);
	verify_programs(sensor, &all);
	if (sensor->processes_stale && processes_repair(sensor))
		verify_found(&all, IMMUNE_VERIFY_MAP, false, "processes");
	verify_maps(sensor, &all);
	pthread_mutex_unlock(&sensor->policy_lock);
	hidden_look(sensor);
	if (guardians_check(&guarded))
		verify_found(&all, IMMUNE_VERIFY_GUARDIAN, guarded, "immune-guardian");
	if (sensor->hasher && hash_apart_off(sensor->hasher))
		verify_found(&all, IMMUNE_VERIFY_HASHER, false, "immune-hasher");
	return all.count;
}

IMMUNE_EXPORT int64_t immune_protect(void)
{
	if (!prctl(PR_SET_DUMPABLE, 0))
		return 0;
	immune_fail("Cannot keep the agent's memory from others: %s", strerror(errno));
	return -errno;
}
