// SPDX-License-Identifier: MIT
/* The policy blob: checked whole before anything of it is applied. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "listed.h"
#include "network.h"
#include "policy.h"
#include "sensor.h"
#include "listed_file.h"
#include "network_filter.h"

#define POLICY_FLAGS \
	(IMMUNE_POLICY_WIDE_OPEN | IMMUNE_POLICY_IDENTITY | IMMUNE_POLICY_PUBLIC_PEERS | \
	 IMMUNE_POLICY_CALLS | IMMUNE_POLICY_HASHES | IMMUNE_POLICY_HASH_EACH | \
	 IMMUNE_POLICY_OPEN_FILTER | IMMUNE_POLICY_NETWORK_FILTER | IMMUNE_POLICY_LISTED_ANY)
#define OPEN_BITS (uint32_t)(IMMUNE_OPEN_ANY | IMMUNE_OPEN_WRITE)
#define WATCH_ALIGNMENT 8

static int refuse(const char *what, uint64_t where)
{
	immune_fail("Cannot use the policy: %s at byte %llu", what, (unsigned long long)where);
	return -EINVAL;
}

/* Checks the watch at `at`; its length with padding, or -EINVAL. */
static int64_t watch_check(const uint8_t *blob, uint64_t at, uint64_t end)
{
	struct immune_policy_watch watch;
	const uint8_t *path = blob + at + sizeof(watch);
	uint64_t padded;

	if (end - at < sizeof(watch))
		return refuse("a watch is cut", at);
	memcpy(&watch, blob + at, sizeof(watch));
	if (watch.type < IMMUNE_WATCH_FILE || watch.type > IMMUNE_WATCH_TREE ||
	    watch.wants & ~(uint32_t)(IMMUNE_WATCH_OPENS | IMMUNE_WATCH_CHANGES))
		return refuse("a watch of an unknown type", at);
	padded = (watch.length + WATCH_ALIGNMENT - 1u) & ~(WATCH_ALIGNMENT - 1ull);
	if (!watch.length || watch.length >= IMMUNE_PATH_BYTES_MAX ||
	    padded > end - at - sizeof(watch))
		return refuse("a watched path is empty, too long or cut", at);
	if (path[0] != '/' || memchr(path, 0, watch.length))
		return refuse("a watched path is not absolute or has a NUL", at);
	for (uint64_t i = watch.length; i < padded; i++)
		if (path[i])
			return refuse("padding is not zero", at + sizeof(watch) + i);
	return (int64_t)(sizeof(watch) + padded);
}

/* Checks marks and terms from `at` on; the filter of connections and what is listed follow them. */
static int roles_check(const uint8_t *blob, const struct immune_policy_header *header, uint64_t at)
{
	uint64_t marks = header->mark_count * sizeof(struct immune_policy_mark);
	uint64_t terms = header->term_count * sizeof(struct immune_policy_term);

	if (header->mark_count > IMMUNE_MARKS_MAX || header->term_count > IMMUNE_TERMS_MAX)
		return refuse("too many marks or terms",
			      offsetof(struct immune_policy_header, mark_count));
	if (header->length - at != marks + terms + network_bytes(header) + listed_bytes(header))
		return refuse("marks, terms, networks or listed files are cut, or bytes follow them",
			      at);
	for (uint32_t i = 0; i < header->term_count; i++) {
		struct immune_policy_term term;

		memcpy(&term, blob + at + marks + i * sizeof(term), sizeof(term));
		if (!term.all || !role_bit(term.role) || term.reserved)
			return refuse("a term that holds on everything, or of a role with no place",
				      at + marks + i * sizeof(term));
	}
	return 0;
}

/* Where the keys of listed files start: they end the blob. */
static const uint8_t *listed_of(const uint8_t *blob, const struct immune_policy_header *header)
{
	return blob + header->length - listed_bytes(header);
}

/* Where the filter of connections starts, before them. */
static const uint8_t *filter_of(const uint8_t *blob, const struct immune_policy_header *header)
{
	return listed_of(blob, header) - network_bytes(header);
}

static int filter_check(const uint8_t *blob, const struct immune_policy_header *header)
{
	const uint8_t *section = filter_of(blob, header);
	uint64_t where;
	const char *wrong = network_check(header, section, &where);

	return wrong ? refuse(wrong, (uint64_t)(section - blob) + where) : 0;
}

static int counts_check(const struct immune_policy_header *header)
{
	if (header->watch_count > IMMUNE_WATCHES_MAX)
		return refuse("too many watches",
			      offsetof(struct immune_policy_header, watch_count));
	if (header->network_count > IMMUNE_FILTER_NETWORKS_MAX ||
	    header->class_count > IMMUNE_PORT_CLASSES_MAX ||
	    header->listed_count > IMMUNE_LISTED_MAX)
		return refuse("too many networks, classes of ports or listed addresses",
			      offsetof(struct immune_policy_header, network_count));
	if (header->listed_file_count > IMMUNE_LISTED_FILES_MAX || header->reserved)
		return refuse("too many keys of listed files",
			      offsetof(struct immune_policy_header, listed_file_count));
	return 0;
}

static int policy_check(const uint8_t *blob, uint32_t length, struct immune_policy_header *header,
			uint64_t *roles)
{
	uint64_t at;
	int error;

	if (!blob || length < sizeof(*header) || length > IMMUNE_POLICY_BYTES_MAX)
		return refuse("a length that no policy has", length);
	memcpy(header, blob, sizeof(*header));
	if (header->magic != IMMUNE_POLICY_MAGIC || header->version != IMMUNE_POLICY_VERSION)
		return refuse("magic or version is not known", 0);
	if (header->length != length || header->header_length < sizeof(*header) ||
	    header->header_length > length || header->header_length % WATCH_ALIGNMENT)
		return refuse("a length that does not agree",
			      offsetof(struct immune_policy_header, length));
	if (header->flags & ~(uint32_t)POLICY_FLAGS)
		return refuse("an unknown flag", offsetof(struct immune_policy_header, flags));
	if ((header->open_every | header->open_deep) & ~OPEN_BITS)
		return refuse("an unknown kind of opens",
			      offsetof(struct immune_policy_header, open_every));
	if (header->wake_interval_us > WAKE_INTERVAL_MAX_US)
		return refuse("a wake interval over a second",
			      offsetof(struct immune_policy_header, wake_interval_us));
	error = counts_check(header);
	if (error)
		return error;
	at = header->header_length;
	for (uint32_t i = 0; i < header->watch_count; i++) {
		int64_t step = watch_check(blob, at, length);

		if (step < 0)
			return (int)step;
		at += (uint64_t)step;
	}
	*roles = at;
	error = roles_check(blob, header, at);
	return error ? error : filter_check(blob, header);
}

/* A copy: what is checked is what is applied, and can be applied again. */
static struct policy *policy_copy(const uint8_t *blob, const struct immune_policy_header *header,
				  uint64_t roles)
{
	struct policy *policy = malloc(sizeof(*policy) + header->length);

	if (!policy)
		return NULL;
	policy->header = *header;
	memcpy(policy->blob, blob, header->length);
	policy->watches = policy->blob + header->header_length;
	policy->roles = policy->blob + roles;
	policy->networks = filter_of(policy->blob, header);
	policy->listed = listed_of(policy->blob, header);
	return policy;
}

IMMUNE_EXPORT int64_t immune_sensor_policy(struct immune_sensor *sensor, const uint8_t *blob,
					   uint32_t length)
{
	struct immune_policy_header header;
	struct policy *policy;
	uint64_t roles = 0;
	int64_t result;

	if (!sensor)
		return immune_misused("set the policy");
	immune_begin();
	result = policy_check(blob, length, &header, &roles);
	if (result)
		return result;
	policy = policy_copy(blob, &header, roles);
	if (!policy)
		return immune_end("set the policy", -ENOMEM);
	pthread_mutex_lock(&sensor->policy_lock);
	result = policy_apply(sensor, policy);
	pthread_mutex_unlock(&sensor->policy_lock);
	return immune_end("set the policy", result);
}

IMMUNE_EXPORT int64_t immune_sensor_unwatched(struct immune_sensor *sensor)
{
	int64_t missed;

	if (!sensor)
		return immune_misused("tell what is not watched");
	immune_begin();
	pthread_mutex_lock(&sensor->policy_lock);
	missed = sensor->devices.missed_later;
	if (missed)
		devices_tell(&sensor->devices);
	pthread_mutex_unlock(&sensor->policy_lock);
	return missed;
}
