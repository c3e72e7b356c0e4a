// SPDX-License-Identifier: MIT
#include "object.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "sensor.skel.h"
/* Of this one only its bytes are used: both objects have the same maps and programs. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "sensor_old.skel.h"

_Static_assert(sizeof(struct sensor_bpf) == sizeof(struct sensor_old_bpf), "the same programs");

/* Whether an add may give back what was there: tried, as distributions bring it to older kernels. */
static bool has_atomic_fetch(void)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_0, .off = -8, .imm = BPF_ADD | BPF_FETCH },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "immune_atomic", "GPL", program,
			       sizeof(program) / sizeof(program[0]), NULL);

	if (fd >= 0)
		close(fd);
	/* What forbids all programs says nothing about this one. */
	return fd >= 0 || (errno != EINVAL && errno != EACCES);
}

/* Whether the kernel has Bloom maps, from Linux 5.16 on: what need.h asks when it is loaded. */
static bool has_bloom(const struct btf *types)
{
	int id = types ? btf__find_by_name_kind(types, "bpf_map_type", BTF_KIND_ENUM) : -1;
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(types, (uint32_t)id);
	const struct btf_enum *value = type ? btf_enum(type) : NULL;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(types, value[i].name_off);

		if (name && !strcmp(name, "BPF_MAP_TYPE_BLOOM_FILTER"))
			return true;
	}
	return false;
}

/* Whether a request of io_uring has the file's name behind a pointer (Linux 7.3 has it otherwise). */
static bool has_ring_names(const struct btf *types)
{
	int id = types ? btf__find_by_name_kind(types, "io_open", BTF_KIND_STRUCT) : -1;
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(types, id);

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *name = btf__name_by_offset(types, member->name_off);

		if (name && !strcmp(name, "filename"))
			return btf_is_ptr(btf__type_by_id(types, member->type));
	}
	return false;
}

static void programs_choose(struct sensor_bpf *programs, const char *path, bool old)
{
	struct btf *types = btf__parse(path, NULL);
	bool typed = !old && types &&
		     btf__find_by_name_kind(types, "bpf_rdonly_cast", BTF_KIND_FUNC) >= 0;

	if (!has_bloom(types)) {
		bpf_map__set_autocreate(programs->maps.listed, false);
		bpf_map__set_autocreate(programs->maps.listed_files, false);
	}

	/* From Linux 6.2 on. */
	bpf_program__set_autoload(programs->progs.on_open_exit, typed);
	bpf_program__set_autoload(programs->progs.on_old_open_exit, !typed);
	/* From Linux 6.2 on; before, io_uring's opens are seen where the file is watched. */
	if (!has_ring_names(types) ||
	    btf__find_by_name_kind(types, "btf_trace_io_uring_submit_req", BTF_KIND_TYPEDEF) < 0)
		bpf_program__set_autoload(programs->progs.on_ring_open, false);
	/* From Linux 5.13 on programs may have callbacks; in the second object it has none. */
	if (!old && (!types || btf__find_by_name_kind(types, "bpf_for_each_map_elem",
						      BTF_KIND_FUNC) < 0))
		bpf_program__set_autoload(programs->progs.on_call_exit, false);
	btf__free(types);
}

struct sensor_bpf *sensor_object_open(const struct bpf_object_open_opts *options)
{
	struct sensor_bpf *object = calloc(1, sizeof(*object));
	int error = object ? sensor_bpf__create_skeleton(object) : -ENOMEM;
	bool old = !error && !has_atomic_fetch();

	if (old)
		object->skeleton->data =
			(void *)sensor_old_bpf__elf_bytes(&object->skeleton->data_sz);
	if (!error)
		error = bpf_object__open_skeleton(object->skeleton, options);
	if (!error) {
		const char *btf = options ? options->btf_custom_path : NULL;

		programs_choose(object, btf ? btf : DEFAULT_BTF, old);
		return object;
	}
	sensor_bpf__destroy(object);
	errno = -error;
	return NULL;
}
