// SPDX-License-Identifier: MIT
/* Opening and closing enforcement: programs of their own on the maps and rings of a sensor. */
#include "enforce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "enforce_watch.h"
#include "immune_record.h"
#include "sensor.h"
#include "verify.h"

#include "enforce.skel.h"
#include "sensor.skel.h"

/* Each program and its tier; those of the cgroup tier are attached to the cgroup v2 root. */
static const struct {
	const char *name;
	uint32_t tier;
} programs[] = {
	{ "refuse_exec", IMMUNE_TIER_LSM },	  { "refuse_connect", IMMUNE_TIER_LSM },
	{ "refuse_bind", IMMUNE_TIER_LSM },	  { "refuse_open", IMMUNE_TIER_LSM },
	{ "refuse_connect4", IMMUNE_TIER_CGROUP }, { "refuse_connect6", IMMUNE_TIER_CGROUP },
	{ "refuse_send4", IMMUNE_TIER_CGROUP },	  { "refuse_send6", IMMUNE_TIER_CGROUP },
	{ "refuse_bind4", IMMUNE_TIER_CGROUP },	  { "refuse_bind6", IMMUNE_TIER_CGROUP },
	{ "refuse_socket", IMMUNE_TIER_CGROUP },  { "kill_exec", IMMUNE_TIER_SIGNAL },
	/* Not on every kernel: the first two need CONFIG_SECURITY_PATH, the last Linux 5.19. */
	{ "refuse_link", IMMUNE_TIER_LSM },	  { "refuse_move", IMMUNE_TIER_LSM },
	{ "refuse_exchange", IMMUNE_TIER_LSM },
};

#define PROGRAMS_COUNT (sizeof(programs) / sizeof(programs[0]))

_Static_assert(PROGRAMS_COUNT <= ENFORCE_LINKS_MAX, "a link a program");

/* Every map that the sensor has too is the sensor's. */
static int maps_share(struct immune_enforce *enforce)
{
	struct bpf_object *sensor = enforce->sensor->programs->obj;
	struct bpf_map *map;

	bpf_object__for_each_map(map, enforce->programs->obj) {
		struct bpf_map *shared =
			bpf_object__find_map_by_name(sensor, bpf_map__name(map));
		int error;

		if (!shared || bpf_map__is_internal(map))
			continue;
		error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
		if (error)
			return error;
	}
	return 0;
}

/* Loads the first so many of the programs, those that are asked for. */
static int programs_load_first(struct immune_enforce *enforce, size_t count)
{
	struct enforce_bpf *skeleton;
	int error;

	immune_log_begin();
	skeleton = enforce_bpf__open();
	if (!skeleton) {
		error = -errno;
		goto fail;
	}
	enforce->programs = skeleton;
	for (size_t i = 0; i < PROGRAMS_COUNT; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(skeleton->obj, programs[i].name);

		/* What is not asked for need not be something that this kernel would take. */
		bpf_program__set_autoload(program, i < count && enforce->options.tiers >>
									programs[i].tier & 1);
	}
	error = maps_share(enforce);
	if (!error)
		error = enforce_bpf__load(skeleton);
	if (!error)
		return 0;
fail:
	immune_fail("Cannot load the enforcing programs (%s; %s): run as root with CAP_BPF, "
		    "CAP_PERFMON and CAP_NET_ADMIN, kernel lockdown off", strerror(-error),
		    immune_log_first());
	return error;
}

/* With as many of the last programs as this kernel takes; the lsm tier is one without them. */
static int programs_load(struct immune_enforce *enforce)
{
	static const size_t counts[] = { PROGRAMS_COUNT, PROGRAMS_COUNT - 1, PROGRAMS_COUNT - 3 };
	int error = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (i > 0) {
			enforce_bpf__destroy(enforce->programs);
			enforce->programs = NULL;
			immune_begin();
		}
		error = programs_load_first(enforce, counts[i]);
		if (!error || !(enforce->options.tiers & TIER_BIT(LSM)))
			break;
	}
	return error;
}

static int program_attach(struct immune_enforce *enforce, size_t index)
{
	uint32_t tier = programs[index].tier;
	struct bpf_program *program;
	struct bpf_link *link;
	int error;

	program = bpf_object__find_program_by_name(enforce->programs->obj, programs[index].name);
	immune_log_begin();
	link = tier == IMMUNE_TIER_CGROUP
		       ? bpf_program__attach_cgroup(program, enforce->sensor->cgroup)
		       : bpf_program__attach(program);
	if (!link) {
		error = -errno;
		immune_fail("Cannot attach program \"%s\" (%s): the kernel refused it",
			    programs[index].name, strerror(-error));
		return error;
	}
	enforce->links[enforce->link_count] = link;
	enforce->link_programs[enforce->link_count] = program;
	enforce->link_tiers[enforce->link_count++] = tier;
	return 0;
}

static int programs_attach(struct immune_enforce *enforce)
{
	int error = 0;

	for (size_t i = 0; i < PROGRAMS_COUNT && !error; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(enforce->programs->obj, programs[i].name);

		if (bpf_program__autoload(program))
			error = program_attach(enforce, i);
	}
	return error;
}

int enforce_table_fd(const struct immune_enforce *enforce, enum immune_table table)
{
	const struct enforce_bpf *all = enforce->programs;
	struct bpf_map *const maps[IMMUNE_TABLE_COUNT] = {
		[IMMUNE_TABLE_ROLES] = all->maps.enforced_roles,
		[IMMUNE_TABLE_USERS] = all->maps.enforced_users,
		[IMMUNE_TABLE_SESSIONS] = all->maps.enforced_sessions,
		[IMMUNE_TABLE_PROTOCOLS] = all->maps.enforced_protocols,
		[IMMUNE_TABLE_PATHS] = all->maps.enforced_paths,
		[IMMUNE_TABLE_TREES] = all->maps.enforced_trees,
		[IMMUNE_TABLE_FILES] = all->maps.enforced_files,
		[IMMUNE_TABLE_ADDRESSES] = all->maps.enforced_addresses,
		[IMMUNE_TABLE_PORTS] = all->maps.enforced_ports,
	};

	return bpf_map__fd(maps[table]);
}

int enforce_learned_fd(const struct immune_enforce *enforce)
{
	return bpf_map__fd(enforce->programs->maps.enforced_learned);
}

static int options_check(const struct immune_sensor *sensor,
			 const struct immune_enforce_options *options)
{
	if (options->abi != IMMUNE_ENFORCE_ABI) {
		immune_fail("Cannot enforce by interface %u: this library has %u, rebuild both",
			    options->abi, IMMUNE_ENFORCE_ABI);
		return -EINVAL;
	}
	if (options->tiers >= TIER_BIT(SIGNAL) << 1 || options->pinned > 1 || options->paused > 1 ||
	    options->pin_path[IMMUNE_OPTION_PATH_BYTES - 1] ||
	    (options->pinned && options->pin_path[0] != '/')) {
		immune_fail("Cannot enforce: a tier that is not known, or option, or no folder to pin in");
		return -EINVAL;
	}
	if (options->tiers & TIER_BIT(CGROUP) && sensor->cgroup < 0) {
		immune_fail("Cannot enforce by cgroup programs: no cgroup v2 root is mounted");
		return -ENOENT;
	}
	return 0;
}

IMMUNE_EXPORT int64_t immune_enforce_open(struct immune_sensor *sensor,
					  const struct immune_enforce_options *options,
					  struct immune_enforce **out)
{
	struct immune_enforce *enforce;
	int error;

	if (!sensor || !options || !out)
		return immune_misused("enforce");
	*out = NULL;
	immune_begin();
	error = options_check(sensor, options);
	if (error)
		return error;
	enforce = calloc(1, sizeof(*enforce));
	if (!enforce)
		return immune_end("enforce", -ENOMEM);
	pthread_mutex_init(&enforce->lock, NULL);
	enforce->sensor = sensor;
	enforce->options = *options;
	enforce->now.paused = options->paused;
	error = programs_load(enforce);
	if (!error)
		error = programs_attach(enforce);
	if (!error && options->tiers & TIER_BIT(FANOTIFY))
		error = enforce_watch_start(&enforce->watch, enforce);
	if (error) {
		immune_enforce_close(enforce);
		return immune_end("enforce", error);
	}
	*out = enforce;
	return 0;
}

IMMUNE_EXPORT int64_t immune_enforce_close(struct immune_enforce *enforce)
{
	if (!enforce)
		return 0;
	enforce_watch_stop(enforce->watch);
	/* A pinned link lives on without this handle; one that is not ends with it. */
	for (uint32_t i = 0; i < enforce->link_count; i++)
		bpf_link__destroy(enforce->links[i]);
	enforce_bpf__destroy(enforce->programs);
	pthread_mutex_destroy(&enforce->lock);
	free(enforce);
	return 0;
}

static void count_row(const struct immune_enforce *enforce, uint32_t tier,
		      struct immune_enforce_row *row)
{
	struct immune_enforced_count counts[libbpf_num_possible_cpus()];

	memset(row, 0, sizeof(*row));
	row->tier = tier;
	for (uint32_t i = 0; i < enforce->link_count; i++)
		row->attached += enforce->link_tiers[i] == tier &&
				 verify_link(enforce->link_programs[i], enforce->links[i]);
	if (bpf_map_lookup_elem(bpf_map__fd(enforce->programs->maps.enforced_counts), &tier,
				counts))
		return;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		row->judged += counts[i].judged;
		row->refused += counts[i].refused;
		row->monitored += counts[i].monitored;
		row->capped += counts[i].capped;
		row->failed += counts[i].failed;
	}
}

IMMUNE_EXPORT int64_t immune_enforce_counts(struct immune_enforce *enforce,
					    struct immune_enforce_row *rows, uint32_t capacity)
{
	uint32_t count = 0;

	if (!enforce || (!rows && capacity))
		return immune_misused("count what was refused");
	for (uint32_t tier = 1; tier <= IMMUNE_TIER_SIGNAL; tier++) {
		if (!(enforce->options.tiers >> tier & 1))
			continue;
		if (count < capacity)
			count_row(enforce, tier, &rows[count]);
		if (count < capacity && tier == IMMUNE_TIER_FANOTIFY)
			enforce_watch_count(enforce->watch, &rows[count]);
		count++;
	}
	return count;
}

IMMUNE_EXPORT int64_t immune_enforce_program_ids(struct immune_enforce *enforce, uint32_t *ids,
						 uint32_t capacity)
{
	if (!enforce || (!ids && capacity))
		return immune_misused("tell the enforcing programs");
	immune_begin();
	for (uint32_t i = 0; i < enforce->link_count && i < capacity; i++) {
		struct bpf_link_info info = { 0 };
		uint32_t length = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_link__fd(enforce->links[i]), &info, &length))
			return immune_end("ask the kernel about an enforcing program", -errno);
		ids[i] = info.prog_id;
	}
	return enforce->link_count;
}
