// SPDX-License-Identifier: MIT
#include "file_ask.h"

#include <bpf/bpf.h>

#include "file_answer.h"

/* Nothing when it cannot be asked. */
static uint32_t ask(int program, int fd, const struct file_identity *identity)
{
	uint64_t arguments[3] = { (uint64_t)fd, identity->device, identity->inode };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));

	return bpf_prog_test_run_opts(program, &run) ? 0 : run.retval;
}

bool file_is(int program, int fd, const struct file_identity *identity)
{
	return ask(program, fd, identity) & FILE_ANSWER_SAME;
}

bool file_tells(int program, int fd)
{
	return ask(program, fd, &(const struct file_identity){ 0 }) & FILE_ANSWER_TELLS;
}
