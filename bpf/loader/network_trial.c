// SPDX-License-Identifier: MIT
/* The trial of the Bloom map: of two connects only the one to a listed address may be told. */
#include "capability_act.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "sensor.h"
#include "network.h"
#include "network_filter.h"
#include "sensor.skel.h"

/* Two addresses of the loopback that nobody has a use for. */
#define LISTED_ADDRESS 0x7f494d55
#define OTHER_ADDRESS 0x7f494d56
#define DISCARD_PORT 9
#define FAMILY_IPV4 2
#define FAMILY_IPV6 10

/* Whether the other one was told on this thread. */
static __thread bool leaked;

/* A filter that needs nothing but what is listed, and a list of one address. */
static void section_fill(uint8_t *section, const struct immune_policy_header *header)
{
	const struct immune_policy_network all[] = {
		{ .family = FAMILY_IPV4 },
		{ .family = FAMILY_IPV6 },
	};
	struct immune_policy_listed listed = { .family = FAMILY_IPV4 };
	uint32_t address = htonl(LISTED_ADDRESS);

	memcpy(section, all, sizeof(all));
	memcpy(listed.address, &address, sizeof(address));
	memcpy(section + network_bytes(header) - sizeof(listed), &listed, sizeof(listed));
}

int act_bloom_prepare(struct immune_sensor *sensor)
{
	const struct immune_policy_header header = {
		.flags = IMMUNE_POLICY_NETWORK_FILTER,
		.network_count = 2,
		.class_count = 1,
		.listed_count = 1,
	};
	uint8_t *section;
	int error;

	if (!bpf_map__autocreate(sensor->programs->maps.listed)) {
		immune_fail("This kernel has no Bloom map (Linux 5.16): any address may be listed");
		return -EOPNOTSUPP;
	}
	section = calloc(1, network_bytes(&header));
	if (!section)
		return -ENOMEM;
	section_fill(section, &header);
	error = network_apply(sensor, &header, section);
	free(section);
	leaked = false;
	return error ? error : sensor_publish(sensor);
}

static int contact(uint32_t address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DISCARD_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	to.sin_addr.s_addr = htonl(address);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		error = -errno;
	close(fd);
	return error;
}

static int bloom_perform(void)
{
	int error = contact(OTHER_ADDRESS);

	return error ? error : contact(LISTED_ADDRESS);
}

static bool bloom_seen(const uint8_t *record, const struct immune_record_header *header)
{
	struct immune_connect_body body;
	uint32_t address;

	if (header->kind != IMMUNE_KIND_CONNECT)
		return false;
	memcpy(&body, record + header->header_length, sizeof(body));
	memcpy(&address, body.address, sizeof(address));
	if (address == htonl(OTHER_ADDRESS))
		leaked = true;
	return address == htonl(LISTED_ADDRESS) && !leaked;
}

const struct act act_bloom = { bloom_perform, bloom_seen };
