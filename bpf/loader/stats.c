// SPDX-License-Identifier: MIT
/* Counters of all kinds and sources, as the kernel keeps them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor.h"
#include "sensor.skel.h"

_Static_assert(sizeof(struct immune_counters) == sizeof(struct immune_tally), "the same counters");

static const struct {
	uint16_t kind;
	enum immune_stream stream;
} kinds[] = {
	{ IMMUNE_KIND_EXEC, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_FORK, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_EXIT, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_IDENTITY, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_SIGNAL, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_ACCESS, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_ACT, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_VERDICT, IMMUNE_STREAM_LIFECYCLE },
	{ IMMUNE_KIND_CONNECT, IMMUNE_STREAM_BULK },
	{ IMMUNE_KIND_BIND, IMMUNE_STREAM_BULK },
	{ IMMUNE_KIND_OPEN, IMMUNE_STREAM_BULK },
	{ IMMUNE_KIND_LISTEN, IMMUNE_STREAM_BULK },
	{ IMMUNE_KIND_ACCEPT, IMMUNE_STREAM_BULK },
	{ IMMUNE_KIND_FLOW, IMMUNE_STREAM_BULK },
	{ IMMUNE_KIND_DNS, IMMUNE_STREAM_BULK },
};

/* Where rows go; count also counts those that found no room. */
struct table {
	struct immune_stats_row *rows;
	uint32_t capacity;
	uint32_t count;
};

/* What the kernel knows of one program; all 0 where it does not tell. */
static void program_fill(struct immune_program_row *row, const struct bpf_program *program,
			 bool attached)
{
	struct bpf_prog_info info = { 0 };
	uint32_t length = sizeof(info);

	memset(row, 0, sizeof(*row));
	strncpy(row->name, bpf_program__name(program), sizeof(row->name) - 1);
	row->attached = attached;
	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
		return;
	row->missed = info.recursion_misses;
	row->runs = info.run_cnt;
	row->run_time_ns = info.run_time_ns;
}

IMMUNE_EXPORT int64_t immune_sensor_programs(struct immune_sensor *sensor,
					     struct immune_program_row *rows, uint32_t capacity)
{
	const struct bpf_object_skeleton *skeleton;
	uint32_t count;

	if (!sensor)
		return immune_misused("read the counters of programs");
	skeleton = sensor->programs->skeleton;
	count = (uint32_t)skeleton->prog_cnt;
	for (uint32_t i = 0; rows && i < count && i < capacity; i++) {
		const struct bpf_prog_skeleton *one = &skeleton->progs[i];

		program_fill(&rows[i], *one->prog, *one->link);
	}
	return count;
}

static void row_add(struct table *table, const struct immune_stats_row *row)
{
	if (table->count < table->capacity)
		table->rows[table->count] = *row;
	table->count++;
}

/* The source of a tally's first CPU. Those that count a table have one of their own each. */
static int source_of(uint32_t kind, enum immune_stream stream)
{
	if (kind == IMMUNE_TALLY_RATES)
		return IMMUNE_SOURCE_RATES;
	return stream == IMMUNE_STREAM_BULK ? IMMUNE_SOURCE_BULK : 0;
}

/* Rows of one kind: one a CPU that saw it. */
static int kind_add(struct table *table, struct immune_sensor *sensor, uint32_t kind,
		    enum immune_stream stream)
{
	int cpus = libbpf_num_possible_cpus();
	struct immune_tally *tallies = calloc((size_t)cpus, sizeof(*tallies));
	struct immune_channel *channels = calloc((size_t)cpus, sizeof(*channels));
	bool counts_table = kind == IMMUNE_TALLY_CONNECTIONS || kind == IMMUNE_TALLY_RATES;
	int first = source_of(kind, stream);
	uint32_t channel = stream;
	int error = -ENOMEM;

	if (!tallies || !channels)
		goto cleanup;
	error = bpf_map_lookup_elem(bpf_map__fd(sensor->programs->maps.tallies), &kind, tallies);
	if (!error)
		error = bpf_map_lookup_elem(bpf_map__fd(sensor->programs->maps.channels), &channel,
					    channels);
	for (int cpu = 0; cpu < cpus && !error; cpu++) {
		struct immune_stats_row row = { .kind = counts_table ? 0 : (uint16_t)kind };

		row.source = (uint16_t)(first + cpu);
		row.sequence = channels[cpu].sequence + channels[cpu].owed;
		memcpy(&row.counters, &tallies[cpu], sizeof(row.counters));
		if (row.counters.seen)
			row_add(table, &row);
	}
cleanup:
	free(tallies);
	free(channels);
	return error;
}

IMMUNE_EXPORT int64_t immune_sensor_stats(struct immune_sensor *sensor,
					  struct immune_stats_row *rows, uint32_t capacity)
{
	struct table table = { .rows = rows, .capacity = rows ? capacity : 0 };
	struct immune_stats_row row = { 0 };
	int error = 0;

	if (!sensor)
		return immune_misused("read the sensor's counters");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !error; i++)
		error = kind_add(&table, sensor, kinds[i].kind, kinds[i].stream);
	/* The process map's own: what did not fit is in ring_full. */
	if (!error)
		error = kind_add(&table, sensor, IMMUNE_TALLY_PROCESSES, IMMUNE_STREAM_LIFECYCLE);
	if (!error)
		error = kind_add(&table, sensor, IMMUNE_TALLY_CONNECTIONS, IMMUNE_STREAM_BULK);
	if (!error)
		error = kind_add(&table, sensor, IMMUNE_TALLY_RATES, IMMUNE_STREAM_BULK);
	if (error) {
		immune_fail("Cannot read the sensor's counters: %s", strerror(-error));
		return error;
	}
	if (sensor->watch) {
		watch_stats(sensor->watch, &row);
		row_add(&table, &row);
		if (watch_change_row(sensor->watch, &row))
			row_add(&table, &row);
		watch_quiet_stats(sensor->watch, &row);
		row_add(&table, &row);
	}
	if (sensor->hasher) {
		struct immune_stats_row apart[2];
		int count = hash_apart_rows(sensor->hasher, apart);

		hash_stats(sensor->hasher, &row);
		row_add(&table, &row);
		for (int i = 0; i < count; i++)
			row_add(&table, &apart[i]);
	}
	verdicts_stats(&sensor->verdicts, &row);
	if (row.counters.seen)
		row_add(&table, &row);
	row = (struct immune_stats_row){ .kind = IMMUNE_KIND_PROCESS };
	row.source = (uint16_t)IMMUNE_SOURCE_SNAPSHOT;
	row.sequence = __atomic_load_n(&sensor->snapshot.sequence, __ATOMIC_RELAXED);
	row.counters.submitted = row.sequence;
	row.counters.ring_full = sensor->snapshot.turned_away;
	row.counters.seen = row.counters.submitted + row.counters.ring_full;
	row_add(&table, &row);
	return table.count;
}
