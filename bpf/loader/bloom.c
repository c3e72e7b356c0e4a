// SPDX-License-Identifier: MIT
#include "bloom.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

int bloom_swap(const struct bpf_map *outer, const struct bloom_list *list, uint32_t *id)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_extra = list->hashes);
	uint32_t place = 0, length = sizeof(struct bpf_map_info);
	struct bpf_map_info info = { 0 };
	int error = 0;
	int bloom = bpf_map_create(BPF_MAP_TYPE_BLOOM_FILTER, list->name, 0, list->value_bytes,
				   list->count ? list->count : 1, &options);

	if (bloom < 0)
		return -errno;
	for (uint32_t i = 0; i < list->count && !error; i++)
		if (bpf_map_update_elem(bloom, NULL,
					list->values + (uint64_t)i * list->value_bytes, BPF_ANY))
			error = -errno;
	if (!error && bpf_map_update_elem(bpf_map__fd(outer), &place, &bloom, BPF_ANY))
		error = -errno;
	if (!error && !bpf_obj_get_info_by_fd(bloom, &info, &length))
		*id = info.id;
	close(bloom);
	return error;
}

int bloom_clear(const struct bpf_map *outer, uint32_t *id)
{
	uint32_t place = 0;

	if (bpf_map_delete_elem(bpf_map__fd(outer), &place) && errno != ENOENT)
		return -errno;
	*id = 0;
	return 0;
}
