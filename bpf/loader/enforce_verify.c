// SPDX-License-Identifier: MIT
/* Whether the kernel still has what enforcement gave it, and putting right what it has not. */
#include "enforce.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "verify.h"

#include "enforce.skel.h"

/* Names as the kernel has them, for what is told. */
static const char *const table_names[IMMUNE_TABLE_COUNT] = {
	[IMMUNE_TABLE_ROLES] = "enforced_roles",
	[IMMUNE_TABLE_USERS] = "enforced_users",
	[IMMUNE_TABLE_SESSIONS] = "enforced_sessions",
	[IMMUNE_TABLE_PROTOCOLS] = "enforced_protocols",
	[IMMUNE_TABLE_PATHS] = "enforced_paths",
	[IMMUNE_TABLE_TREES] = "enforced_trees",
	[IMMUNE_TABLE_FILES] = "enforced_files",
	[IMMUNE_TABLE_ADDRESSES] = "enforced_addresses",
	[IMMUNE_TABLE_PORTS] = "enforced_ports",
};

_Static_assert(IMMUNE_TABLE_COUNT == sizeof(((struct immune_enforce *)0)->sums) / sizeof(uint64_t),
	       "a sum a table");

static const struct bpf_map *policy_map(const struct immune_enforce *enforce)
{
	return enforce->programs->maps.enforcements;
}

static uint64_t table_sum(const struct immune_enforce *enforce, int table)
{
	return verify_sum(bpf_object__find_map_by_name(enforce->programs->obj,
						       table_names[table]));
}

void enforce_note(struct immune_enforce *enforce)
{
	uint32_t slot = enforce->now.generation & 1;

	for (int i = 0; i < IMMUNE_TABLE_COUNT; i++)
		enforce->sums[i] = table_sum(enforce, i);
	memset(&enforce->policy, 0, sizeof(enforce->policy));
	bpf_map_lookup_elem(bpf_map__fd(policy_map(enforce)), &slot, &enforce->policy);
}

static void links_verify(struct immune_enforce *enforce, struct verify_found *all)
{
	for (uint32_t i = 0; i < enforce->link_count; i++) {
		struct bpf_program *program = enforce->link_programs[i];
		bool restored;

		if (verify_link(program, enforce->links[i]))
			continue;
		restored = verify_attach(enforce->sensor, program, &enforce->links[i]);
		/* Its pin led to the link that does not hold any more. */
		if (restored && enforce->set)
			restored = !enforce_pin_again(enforce, i);
		verify_found(all, IMMUNE_VERIFY_PROGRAM, restored, bpf_program__name(program));
	}
}

static void pins_verify(struct immune_enforce *enforce, struct verify_found *all)
{
	if (!enforce->set)
		return;
	for (uint32_t i = 0; i <= enforce->link_count; i++) {
		const char *name = i < enforce->link_count
					   ? bpf_program__name(enforce->link_programs[i])
					   : "ring";

		if (!enforce_pin_holds(enforce, i))
			verify_found(all, IMMUNE_VERIFY_PIN, !enforce_pin_again(enforce, i), name);
	}
}

static void maps_verify(struct immune_enforce *enforce, struct verify_found *all)
{
	uint32_t key = 0, slot = enforce->now.generation & 1;
	struct immune_enforcement policy = { 0 };
	struct immune_enforced now = { 0 };

	if (!enforce->now.generation)
		return;
	if (bpf_map_lookup_elem(bpf_map__fd(enforce->programs->maps.enforced), &key, &now) ||
	    memcmp(&now, &enforce->now, sizeof(now)))
		verify_found(all, IMMUNE_VERIFY_MAP, !enforce_publish(enforce, &enforce->now),
			     "enforced");
	/* Of these the policy has to be given again: only its owner has it. */
	if (bpf_map_lookup_elem(bpf_map__fd(policy_map(enforce)), &slot, &policy) ||
	    memcmp(&policy, &enforce->policy, sizeof(policy)))
		verify_found(all, IMMUNE_VERIFY_MAP, false, "enforcements");
	for (int i = 0; i < IMMUNE_TABLE_COUNT; i++)
		if (table_sum(enforce, i) != enforce->sums[i])
			verify_found(all, IMMUNE_VERIFY_MAP, false, table_names[i]);
}

IMMUNE_EXPORT int64_t immune_enforce_verify(struct immune_enforce *enforce,
					    struct immune_verify_row *rows, uint32_t capacity)
{
	struct verify_found all = { .rows = rows, .capacity = capacity };

	if (!enforce || (!rows && capacity))
		return immune_misused("look after enforcement");
	pthread_mutex_lock(&enforce->lock);
	links_verify(enforce, &all);
	pins_verify(enforce, &all);
	maps_verify(enforce, &all);
	pthread_mutex_unlock(&enforce->lock);
	return all.count;
}
