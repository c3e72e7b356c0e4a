// SPDX-License-Identifier: MIT
/*
 * What the verifier had to do for each program on the running kernel: loads them all, attaches none.
 * A line a program: name, section, instructions verified, instructions, bytes as machine code.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor.skel.h"

int main(void)
{
	struct sensor_bpf *programs = sensor_bpf__open_and_load();
	struct bpf_program *program;

	if (!programs) {
		fprintf(stderr, "Cannot load the sensor's programs: run as root\n");
		return 1;
	}
	bpf_object__for_each_program(program, programs->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
			continue;
		printf("%s\t%s\t%u\t%zu\t%u\n", bpf_program__name(program),
		       bpf_program__section_name(program), info.verified_insns,
		       info.xlated_prog_len / sizeof(struct bpf_insn), info.jited_prog_len);
	}
	sensor_bpf__destroy(programs);
	return 0;
}
