// SPDX-License-Identifier: MIT
#include "label.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor.h"
#include "sensor.skel.h"

/* What bpf/events/label.bpf.c returns when it wrote. */
#define LABEL_WRITTEN 1

/* Removes all marks. Bounded by what the map holds. */
static void marks_clear(int fd)
{
	uint64_t key;

	for (uint32_t i = 0; i < IMMUNE_MARKS_MAX && !bpf_map_get_next_key(fd, NULL, &key); i++)
		bpf_map_delete_elem(fd, &key);
}

int roles_apply(struct immune_sensor *sensor, const uint8_t *roles, uint32_t mark_count,
		uint32_t term_count)
{
	int marks = bpf_map__fd(sensor->programs->maps.marks);
	int terms = bpf_map__fd(sensor->programs->maps.terms);
	struct immune_terms all = { 0 };
	uint32_t key = 0;
	/* First no term, so that no program is judged by half of the marks. */
	int error = bpf_map_update_elem(terms, &key, &all, BPF_ANY);

	marks_clear(marks);
	for (uint32_t i = 0; i < mark_count && !error; i++) {
		struct immune_policy_mark from;
		struct immune_mark mark = { 0 };
		uint32_t bit;

		memcpy(&from, roles + i * sizeof(from), sizeof(from));
		mark.bits = from.bits;
		mark.edges = from.edges;
		bit = immune_mark_filter_bit(from.hash);
		all.filter[bit / 64] |= 1ull << (bit % 64);
		error = bpf_map_update_elem(marks, &from.hash, &mark, BPF_NOEXIST);
	}
	roles += mark_count * sizeof(struct immune_policy_mark);
	all.count = term_count;
	/* The same layout on both sides. */
	_Static_assert(sizeof(struct immune_term) == sizeof(struct immune_policy_term), "terms");
	memcpy(all.terms, roles, term_count * sizeof(all.terms[0]));
	if (!error)
		error = bpf_map_update_elem(terms, &key, &all, BPF_ANY);
	if (error)
		immune_fail("Cannot give the roles to the kernel: %s, two marks may have one hash",
			    strerror(-error));
	return error;
}

static int label_write(int program, const struct immune_label *label)
{
	uint64_t arguments[4] = {
		label->pid | (uint64_t)label->role << 32,
		label->start_time_ns,
		label->session,
		label->time_ns,
	};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));
	int error = bpf_prog_test_run_opts(program, &run);

	return error ? error : run.retval == LABEL_WRITTEN;
}

IMMUNE_EXPORT int64_t immune_sensor_label(struct immune_sensor *sensor,
					  const struct immune_label *labels, uint32_t count)
{
	int program;
	int64_t written = 0;

	if (!sensor || (!labels && count))
		return immune_misused("label processes");
	program = bpf_program__fd(sensor->programs->progs.on_label);
	for (uint32_t i = 0; i < count; i++) {
		int result = label_write(program, &labels[i]);

		if (result < 0) {
			immune_fail("Cannot label process %u in the kernel: %s", labels[i].pid,
				    strerror(-result));
			return result;
		}
		written += result;
	}
	return written;
}
