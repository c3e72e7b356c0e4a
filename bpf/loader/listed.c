// SPDX-License-Identifier: MIT
#include "listed.h"

#include <string.h>

#include <bpf/libbpf.h>

#include "bloom.h"
#include "sensor.h"
#include "listed_file.h"
#include "sensor.skel.h"

uint64_t listed_bytes(const struct immune_policy_header *header)
{
	return header->listed_file_count * sizeof(uint64_t);
}

int listed_apply(struct immune_sensor *sensor, const struct immune_policy_header *header,
		 const uint8_t *keys)
{
	const struct bloom_list list = {
		.name = "immune_files",
		.values = keys,
		.count = header->listed_file_count,
		.value_bytes = sizeof(uint64_t),
		.hashes = IMMUNE_LISTED_FILE_HASHES,
	};
	const struct bpf_map *place = sensor->programs->maps.listed_files;
	int error;

	sensor->control.listed_files = 0;
	if (!bpf_map__autocreate(place)) {
		if (header->listed_file_count)
			sensor->control.open_every |= IMMUNE_OPEN_ANY;
		return 0;
	}
	/* Who still looks by the policy before finds no list, and sends. */
	error = header->listed_file_count
			? bloom_swap(place, &list, &sensor->listed_files_id)
			: bloom_clear(place, &sensor->listed_files_id);
	if (error) {
		immune_fail("Cannot give the listed files to the kernel: %s", strerror(-error));
		return error;
	}
	sensor->control.listed_files = !!header->listed_file_count;
	return 0;
}
