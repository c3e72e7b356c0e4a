// SPDX-License-Identifier: MIT
/*
 * What the verifier had to do for each program on the running kernel: loads them all, or if one is
 * refused each alone, so that it does not hide the others; attaches none. A line a program: name,
 * section, instructions verified, instructions, bytes as machine code, why it was refused.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "object.h"
#include "sensor.skel.h"

/* Room for what the verifier says of one program; a longer text is cut. */
#define LOG_BYTES (32u << 20)

/* What is said of a program that the sensor leaves out (object.h). */
static const char left_out[] = "left out";

static char verifier_log[LOG_BYTES];
/* Last line of libbpf itself: for what fails before the verifier. */
static char complaint[512];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN && strncmp(format, "libbpf: failed to load object", 29) &&
	    strncmp(format, "libbpf: -- ", 11))
		vsnprintf(complaint, sizeof(complaint), format, arguments);
	return 0;
}

/* The last line that the verifier wrote before its summary, without tabs and line ends. */
static const char *refusal(int error)
{
	char *end = strstr(verifier_log, "processed ");
	char *line;

	if (!verifier_log[0])
		line = complaint;
	else {
		if (!end)
			end = verifier_log + strlen(verifier_log);
		while (end > verifier_log && end[-1] == '\n')
			end--;
		*end = 0;
		line = strrchr(verifier_log, '\n');
		line = line ? line + 1 : verifier_log;
	}
	for (char *at = line; *at; at++)
		if (*at == '\t' || *at == '\n')
			*at = ' ';
	return line[0] ? line : strerror(-error);
}

/* Opens all programs, of which only the one of that name is to be loaded. */
static struct sensor_bpf *open_one(const char *name, struct bpf_program **chosen)
{
	struct sensor_bpf *object = sensor_object_open(NULL);
	struct bpf_program *program;

	*chosen = NULL;
	if (!object)
		return NULL;
	bpf_object__for_each_program(program, object->obj) {
		bool is_it = !strcmp(bpf_program__name(program), name);

		bpf_program__set_autoload(program, is_it);
		if (is_it)
			*chosen = program;
	}
	return object;
}

static void show(const struct bpf_program *program, const char *refused)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	if (!refused && bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
		refused = strerror(errno);
	printf("%s\t%s\t%u\t%zu\t%u\t%s\n", bpf_program__name(program),
	       bpf_program__section_name(program), info.verified_insns,
	       info.xlated_prog_len / sizeof(struct bpf_insn), info.jited_prog_len,
	       refused ? refused : "");
}

static int report_alone(const char *name)
{
	struct bpf_program *program;
	struct sensor_bpf *object = open_one(name, &program);
	int error;

	if (!object || !program)
		return -1;
	verifier_log[0] = complaint[0] = 0;
	bpf_program__set_log_buf(program, verifier_log, sizeof(verifier_log));
	error = sensor_bpf__load(object);
	show(program, error ? refusal(error) : NULL);
	sensor_bpf__destroy(object);
	return 0;
}

int main(void)
{
	struct bpf_program *program;
	struct sensor_bpf *all;
	int error, failed = 0;

	libbpf_set_print(keep_complaint);
	all = sensor_object_open(NULL);
	if (!all) {
		fprintf(stderr, "Cannot read the sensor's programs: %s\n", complaint);
		return 1;
	}
	error = sensor_bpf__load(all);
	bpf_object__for_each_program(program, all->obj) {
		if (!bpf_program__autoload(program))
			show(program, left_out);
		else if (error)
			failed |= report_alone(bpf_program__name(program));
		else
			show(program, NULL);
	}
	sensor_bpf__destroy(all);
	return failed ? 1 : 0;
}
