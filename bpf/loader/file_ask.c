// SPDX-License-Identifier: MIT
#include "file_ask.h"

#include <bpf/bpf.h>

#include "file_answer.h"

bool file_is(int program, int fd, const struct file_identity *identity)
{
	uint64_t arguments[3] = { (uint64_t)fd, identity->device, identity->inode };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));

	return !bpf_prog_test_run_opts(program, &run) && run.retval & FILE_ANSWER_SAME;
}
