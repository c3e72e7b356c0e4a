// SPDX-License-Identifier: MIT
#include "network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bloom.h"
#include "sensor.h"
#include "network_filter.h"
#include "sensor.skel.h"

#define FAMILY_IPV4 2
#define FAMILY_IPV6 10
#define PREFIX_MAX 128
#define KIND_BIT(kind) (1u << IMMUNE_KIND_##kind)
/* Kinds whose address an indicator may list. A flow is what its connect or accept came to. */
#define LISTED_KINDS (KIND_BIT(CONNECT) | KIND_BIT(ACCEPT) | KIND_BIT(FLOW))

_Static_assert(IMMUNE_KIND_CONNECT == IMMUNE_NETWORK_KIND_FIRST, "the first kind");
_Static_assert(IMMUNE_KIND_FLOW - IMMUNE_KIND_CONNECT + 1 == IMMUNE_NETWORK_KINDS, "the kinds");
_Static_assert(sizeof(struct immune_policy_listed) == sizeof(struct immune_listed), "one layout");

uint64_t network_bytes(const struct immune_policy_header *header)
{
	if (!header->class_count)
		return 0;
	return header->network_count * sizeof(struct immune_policy_network) +
	       header->class_count * sizeof(uint64_t) + IMMUNE_PORT_COUNT +
	       header->listed_count * sizeof(struct immune_policy_listed);
}

/* Networks by growing prefix, so that the first two are all addresses of each family. */
static bool network_is_next(const struct immune_policy_network *network, uint32_t i,
			    uint32_t prefix_before)
{
	uint32_t most = network->family == FAMILY_IPV4 ? 32 : PREFIX_MAX;

	if (network->family != FAMILY_IPV4 && network->family != FAMILY_IPV6)
		return false;
	if (network->reserved || network->prefix > most || network->prefix < prefix_before)
		return false;
	return i >= 2 || !network->prefix;
}

const char *network_check(const struct immune_policy_header *header, const uint8_t *section,
			  uint64_t *where)
{
	uint32_t families = 0, before = 0;

	*where = 0;
	if (!header->class_count)
		return header->network_count || header->listed_count || header->network_every
			       ? "a filter without ports" : NULL;
	for (uint32_t i = 0; i < header->network_count; i++) {
		struct immune_policy_network network;

		*where = i * sizeof(network);
		memcpy(&network, section + *where, sizeof(network));
		if (!network_is_next(&network, i, before))
			return "a network that is none, or not in its place";
		before = network.prefix;
		families |= before ? 0 : 1u << network.family;
	}
	if (families != (1u << FAMILY_IPV4 | 1u << FAMILY_IPV6))
		return "a filter without all addresses";
	*where = header->network_count * sizeof(struct immune_policy_network) +
		 header->class_count * sizeof(uint64_t);
	for (uint32_t port = 0; port < IMMUNE_PORT_COUNT; port++)
		if (section[*where + port] >= header->class_count)
			return "a port of an unknown class";
	return NULL;
}

static struct immune_network_key key_of(const struct immune_policy_network *network, uint32_t slot)
{
	struct immune_network_key key = {
		.bits = IMMUNE_NETWORK_KEY_BITS + network->prefix,
		.slot = slot,
		.family = network->family,
	};

	memcpy(key.address, network->address, sizeof(key.address));
	return key;
}

static int shorter_first(const void *left, const void *right)
{
	const struct immune_network_key *a = left, *b = right;

	return (a->bits > b->bits) - (a->bits < b->bits);
}

/*
 * Removes what a slot holds of an earlier policy, shorter prefixes first: whoever still looks there
 * finds the network that he would have found, or none, and then sends.
 */
static int slot_clear(int map, uint32_t slot)
{
	struct immune_network_key *keys = calloc(2 * IMMUNE_FILTER_NETWORKS_MAX, sizeof(*keys));
	struct immune_network_key next;
	bool more = !bpf_map_get_next_key(map, NULL, &next);
	uint32_t count = 0;
	int error = 0;

	if (!keys)
		return -ENOMEM;
	/* Bounded by what the map can hold. */
	while (more && count < 2 * IMMUNE_FILTER_NETWORKS_MAX) {
		keys[count] = next;
		more = !bpf_map_get_next_key(map, &keys[count], &next);
		count++;
	}
	qsort(keys, count, sizeof(*keys), shorter_first);
	for (uint32_t i = 0; i < count && !error; i++)
		if (keys[i].slot == slot && bpf_map_delete_elem(map, &keys[i]))
			error = -errno;
	free(keys);
	return error;
}

/* Longer prefixes first, for the same reason. */
static int slot_fill(int map, uint32_t slot, const uint8_t *networks, uint32_t count)
{
	for (uint32_t i = count; i-- > 0;) {
		struct immune_policy_network network;
		struct immune_network_key key;
		uint64_t terms;

		memcpy(&network, networks + i * sizeof(network), sizeof(network));
		key = key_of(&network, slot);
		terms = network.terms;
		if (bpf_map_update_elem(map, &key, &terms, BPF_NOEXIST))
			return -errno;
	}
	return 0;
}

static bool has_listed_network(const struct immune_policy_header *header, const uint8_t *networks)
{
	for (uint32_t i = 0; i < header->network_count; i++) {
		struct immune_policy_network network;

		memcpy(&network, networks + i * sizeof(network), sizeof(network));
		if (network.terms & IMMUNE_TERM_LISTED)
			return true;
	}
	return false;
}

static void filter_fill(struct immune_network_filter *filter,
			const struct immune_policy_header *header, const uint8_t *section,
			bool has_bloom)
{
	const uint8_t *classes =
		section + header->network_count * sizeof(struct immune_policy_network);
	bool any = header->flags & IMMUNE_POLICY_LISTED_ANY;

	memcpy(filter->terms, header->network_terms, sizeof(filter->terms));
	filter->named = header->network_named;
	filter->every = header->network_every;
	filter->listed = any || header->listed_count ? LISTED_KINDS : 0;
	filter->listed_networks = has_listed_network(header, section) ? LISTED_KINDS : 0;
	filter->listed_any = any || (header->listed_count && !has_bloom);
	memcpy(filter->class_terms, classes, header->class_count * sizeof(uint64_t));
	memcpy(filter->port_classes, classes + header->class_count * sizeof(uint64_t),
	       sizeof(filter->port_classes));
}

int network_apply(struct immune_sensor *sensor, const struct immune_policy_header *header,
		  const uint8_t *section)
{
	/* The place that is not in force: nobody has looked there since the policy before. */
	uint32_t slot = sensor->control.network_slot == 1;
	int networks = bpf_map__fd(sensor->programs->maps.networks);
	uint64_t listed = network_bytes(header) -
			  header->listed_count * sizeof(struct immune_policy_listed);
	const struct bloom_list list = {
		.name = "immune_listed",
		.values = section + listed,
		.count = header->listed_count,
		.value_bytes = sizeof(struct immune_listed),
		.hashes = IMMUNE_LISTED_HASHES,
	};
	bool has_bloom = bpf_map__autocreate(sensor->programs->maps.listed);
	struct immune_network_filter *filter;
	int error;

	if (!header->class_count) {
		sensor->control.network_slot = sensor->control.network_filtered = 0;
		sensor->control.network_generation++;
		return 0;
	}
	filter = calloc(1, sizeof(*filter));
	error = filter ? slot_clear(networks, slot) : -ENOMEM;
	if (!error)
		error = slot_fill(networks, slot, section, header->network_count);
	if (!error) {
		filter_fill(filter, header, section, has_bloom);
		if (bpf_map_update_elem(bpf_map__fd(sensor->programs->maps.network_filters), &slot,
					filter, BPF_ANY))
			error = -errno;
	}
	/* The list of now is a part of either filter: what it has in addition is sent, too. */
	if (!error && has_bloom)
		error = bloom_swap(sensor->programs->maps.listed, &list, &sensor->listed_id);
	free(filter);
	if (error) {
		immune_fail("Cannot give the filter of connections to the kernel: %s",
			    strerror(-error));
		return error;
	}
	sensor->control.network_slot = slot + 1;
	sensor->control.network_generation++;
	sensor->control.network_filtered = !!(header->flags & IMMUNE_POLICY_NETWORK_FILTER);
	return 0;
}
