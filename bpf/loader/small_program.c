// SPDX-License-Identifier: MIT
#include "small_program.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static int program_path(const char *name, char *path, size_t capacity)
{
	Dl_info own;
	const char *slash;
	int length;

	if (!dladdr(small_program_start, &own) || !own.dli_fname)
		return -ENOENT;
	slash = strrchr(own.dli_fname, '/');
	length = snprintf(path, capacity, "%.*s%s", slash ? (int)(slash - own.dli_fname + 1) : 0,
			  own.dli_fname, name);
	return length < 0 || (size_t)length >= capacity ? -ENAMETOOLONG : 0;
}

/* Its own session: no signal of a terminal or a group is for it. */
static int attributes_set(posix_spawnattr_t *attributes)
{
	sigset_t every;

	sigfillset(&every);
	posix_spawnattr_setsigmask(attributes, &every);
	return posix_spawnattr_setflags(attributes,
					POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
}

int small_program_start(const struct small_program *program, pid_t *pid)
{
	char *const arguments[] = { (char *)program->name, NULL }, *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int high[SMALL_PROGRAM_FDS_MAX];
	char path[4096] = "";
	int error = program_path(program->name, path, sizeof(path));

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	for (uint32_t i = 0; i < program->count; i++) {
		/* Above the numbers that they get there, so that none covers another. */
		high[i] = fcntl(program->descriptors[i], F_DUPFD_CLOEXEC,
				SMALL_PROGRAM_FD_FIRST + SMALL_PROGRAM_FDS_MAX);
		if (high[i] < 0)
			error = -errno;
		else if (!error)
			error = -posix_spawn_file_actions_adddup2(&actions, high[i],
								  SMALL_PROGRAM_FD_FIRST + (int)i);
	}
	if (!error)
		error = -attributes_set(&attributes);
	if (!error)
		error = -posix_spawn(pid, path, &actions, &attributes, arguments, environment);
	if (error)
		immune_fail("Cannot start \"%s\": %s; %s, run \"deno task build\"", path,
			    strerror(-error), program->without);
	for (uint32_t i = 0; i < program->count; i++)
		if (high[i] >= 0)
			close(high[i]);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}
