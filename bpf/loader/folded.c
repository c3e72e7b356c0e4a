// SPDX-License-Identifier: MIT
/* Taking what the kernel folded, and forgetting whom it has nothing to count for any more. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor.h"
#include "sensor.skel.h"

/* A process or cgroup without records for this long is forgotten. */
#define IDLE_NS (10 * IMMUNE_RATE_WINDOW_NS)

/* Takes an entry out; false when it is gone, or has just been folded for the first time. */
static bool take(int map, const struct immune_rate_key *key, struct immune_rate *rate)
{
	/* At once, so that nothing is counted in between (Linux 5.14); else by two calls. */
	if (!bpf_map_lookup_and_delete_elem(map, key, rate))
		return true;
	if (errno == ENOENT || bpf_map_lookup_elem(map, key, rate))
		return false;
	return !bpf_map_delete_elem(map, key);
}

static void row_fill(struct immune_folded_row *row, const struct immune_rate_key *key,
		     const struct immune_rate *rate)
{
	memset(row, 0, sizeof(*row));
	if (key->scope == IMMUNE_RATE_PROCESS)
		row->start_time_ns = key->id;
	row->cgroup_id = rate->cgroup_id;
	row->count = rate->folded;
	row->first_ns = rate->first_ns;
	row->last_ns = rate->last_ns;
	row->pid = key->pid;
	row->kind = key->kind;
}

IMMUNE_EXPORT int64_t immune_sensor_folded(struct immune_sensor *sensor,
					   struct immune_folded_row *rows, uint32_t capacity)
{
	struct immune_rate_key key, next;
	uint64_t now_ns = clock_boot_ns();
	bool more;
	int64_t count = 0;
	int map;

	if (!sensor || (!rows && capacity))
		return immune_misused("take what was folded");
	map = bpf_map__fd(sensor->programs->maps.rates);
	more = !bpf_map_get_next_key(map, NULL, &next);
	/* Bounded by the map: what is taken out is not met again. */
	for (uint32_t i = 0; more && i < 2 * IMMUNE_RATES_MAX && count < capacity; i++) {
		struct immune_rate rate;

		key = next;
		more = !bpf_map_get_next_key(map, &key, &next);
		if (bpf_map_lookup_elem(map, &key, &rate))
			continue;
		if (!rate.folded && now_ns - rate.window_ns < IDLE_NS)
			continue;
		if (take(map, &key, &rate) && rate.folded)
			row_fill(&rows[count++], &key, &rate);
	}
	return count;
}
