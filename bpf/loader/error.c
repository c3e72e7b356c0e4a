// SPDX-License-Identifier: MIT
/* One error line a thread, and libbpf's log, which is kept and never printed. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "internal.h"

static __thread char error_line[IMMUNE_ERROR_BYTES];
static __thread char log_line[IMMUNE_ERROR_BYTES];
static pthread_once_t log_once = PTHREAD_ONCE_INIT;

void immune_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error_line, sizeof(error_line), format, arguments);
	va_end(arguments);
	for (char *at = error_line; *at; at++)
		if (*at == '\n')
			*at = ' ';
}

const char *immune_failure(void)
{
	return error_line;
}

void immune_begin(void)
{
	error_line[0] = 0;
}

int64_t immune_end(const char *doing, int64_t result)
{
	if (result < 0 && !error_line[0])
		immune_fail("Cannot %s: %s", doing, strerror((int)-result));
	return result;
}

int64_t immune_misused(const char *doing)
{
	immune_fail("Cannot %s: an argument is missing, or not what it may be", doing);
	return -EINVAL;
}

IMMUNE_EXPORT int64_t immune_error(char *buffer, uint32_t capacity)
{
	size_t length = strlen(error_line);

	if (!buffer || !capacity)
		return 0;
	if (length > capacity - 1)
		length = capacity - 1;
	memcpy(buffer, error_line, length);
	buffer[length] = 0;
	return (int64_t)length;
}

/* libbpf tries to raise this limit where it may not, and where it need not (5.11 and later). */
static const char beside_the_point[] = "RLIMIT_MEMLOCK";

static int log_keep(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN || log_line[0])
		return 0;
	vsnprintf(log_line, sizeof(log_line), format, arguments);
	log_line[strcspn(log_line, "\n")] = 0;
	if (strstr(log_line, beside_the_point))
		log_line[0] = 0;
	return 0;
}

static void log_install(void)
{
	libbpf_set_print(log_keep);
}

void immune_log_begin(void)
{
	pthread_once(&log_once, log_install);
	log_line[0] = 0;
}

const char *immune_log_first(void)
{
	return log_line;
}
