/* SPDX-License-Identifier: MIT */
/*
 * immune-run-as [--user UID:GID] [--caps NAME,...] [--reads FILE] PROGRAM [ARGUMENT...]
 *
 * Starts a program with less than its caller has: as another user, or as the same one with only
 * the named capabilities. The program is opened before the change and started by its descriptor,
 * so it may lie where the other user cannot look; a file that it will read may not, which is
 * looked at first. No new privileges can be had afterwards, and SIGTERM comes when the caller
 * ends. Exit code 126: could not be started, with one line why.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_NOT_STARTED 126
/* Capabilities are numbered below this in every kernel so far. */
#define CAPABILITIES_MAX 64

struct request {
	uid_t uid;
	gid_t gid;
	int change_user;
	int limit_capabilities;
	uint64_t capabilities;
	/* A file that the program will read; null: none. */
	const char *reads;
	char **command;
};

/* Those that a part of this program may ask for. */
static const struct {
	const char *name;
	int number;
} known[] = {
	{ "dac_read_search", CAP_DAC_READ_SEARCH }, { "dac_override", CAP_DAC_OVERRIDE },
	{ "kill", CAP_KILL },			    { "net_admin", CAP_NET_ADMIN },
	{ "sys_ptrace", CAP_SYS_PTRACE },	    { "sys_admin", CAP_SYS_ADMIN },
	{ "perfmon", CAP_PERFMON },		    { "bpf", CAP_BPF },
};

static int refuse(const char *what, const char *value)
{
	fprintf(stderr, "immune-run-as: Cannot use %s \"%s\"\n", what, value);
	return EXIT_USAGE;
}

static int not_started(const char *what)
{
	fprintf(stderr, "immune-run-as: Cannot %s: %s\n", what, strerror(errno));
	return EXIT_NOT_STARTED;
}

static int parse_user(struct request *request, const char *value)
{
	char *end = NULL;
	unsigned long uid = strtoul(value, &end, 10), gid;

	if (end == value || *end != ':')
		return refuse("user", value);
	value = end + 1;
	gid = strtoul(value, &end, 10);
	/* Root is no lesser user, and -1 would mean "leave as it is". */
	if (end == value || *end || !uid || !gid || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return refuse("user", value);
	request->uid = uid;
	request->gid = gid;
	request->change_user = 1;
	return 0;
}

static int parse_capabilities(struct request *request, char *list)
{
	request->limit_capabilities = 1;
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		size_t i;

		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (!strcmp(name, known[i].name))
				break;
		}
		if (i == sizeof(known) / sizeof(known[0]))
			return refuse("capability", name);
		request->capabilities |= UINT64_C(1) << known[i].number;
	}
	return 0;
}

static int parse(struct request *request, char **arguments)
{
	int error = 0;

	for (; *arguments && !strncmp(*arguments, "--", 2); arguments += 2) {
		if (!arguments[1])
			return refuse("option without a value", *arguments);
		if (!strcmp(*arguments, "--user"))
			error = parse_user(request, arguments[1]);
		else if (!strcmp(*arguments, "--caps"))
			error = parse_capabilities(request, arguments[1]);
		else if (!strcmp(*arguments, "--reads"))
			request->reads = arguments[1];
		else
			error = refuse("option", *arguments);
		if (error)
			return error;
	}
	request->command = arguments;
	return *arguments ? 0 : refuse("no program", "");
}

static int change_user(const struct request *request)
{
	if (setgroups(0, NULL) || setresgid(request->gid, request->gid, request->gid) ||
	    setresuid(request->uid, request->uid, request->uid))
		return not_started("change the user");
	return 0;
}

/* Root gets back at exec what its bounding set holds: that is what has to shrink. */
static int limit_capabilities(uint64_t wanted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (int number = 0; number < CAPABILITIES_MAX; number++) {
		if (wanted >> number & 1 || prctl(PR_CAPBSET_READ, number, 0, 0, 0) <= 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0))
			return not_started("drop a capability");
	}
	if (syscall(SYS_capget, &header, data))
		return not_started("read the capabilities");
	for (int word = 0; word < 2; word++) {
		data[word].permitted &= (uint32_t)(wanted >> 32 * word);
		data[word].effective = data[word].permitted;
		data[word].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data))
		return not_started("set the capabilities");
	return 0;
}

static int not_reached(const struct request *request, const char *path)
{
	fprintf(stderr,
		"immune-run-as: Cannot reach \"%s\" as user %u, as \"%s\" is closed to it: %s; open "
		"that, or have the file elsewhere\n",
		request->reads, (unsigned int)getuid(), path, strerror(errno));
	return EXIT_NOT_STARTED;
}

/* Whether the file can be read as who this is by now; names the first folder that is closed. */
static int check_way(const struct request *request)
{
	char path[PATH_MAX];
	size_t length = strlen(request->reads);

	if (length >= sizeof(path))
		return refuse("file", request->reads);
	/* Bounded by the length. */
	for (size_t i = 1; i < length; i++) {
		if (request->reads[i] != '/')
			continue;
		memcpy(path, request->reads, i);
		path[i] = 0;
		if (access(path, X_OK))
			return not_reached(request, path);
	}
	return access(request->reads, R_OK) ? not_reached(request, request->reads) : 0;
}

int main(int count, char **arguments)
{
	struct request request = { 0 };
	pid_t caller = getppid();
	int error, program;

	if (count < 2)
		return refuse("no program", "");
	error = parse(&request, arguments + 1);
	if (error)
		return error;
	program = open(request.command[0], O_PATH | O_CLOEXEC);
	if (program < 0)
		return not_started("open the program");
	if (request.change_user)
		error = change_user(&request);
	if (!error && request.limit_capabilities)
		error = limit_capabilities(request.capabilities);
	if (!error && request.reads)
		error = check_way(&request);
	if (error)
		return error;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
		return not_started("give up privileges");
	/* Ctrl-C is the caller's to hear: it ends its parts in their order. Refused where this leads a
	 * group already, which is as good. */
	(void)setsid();
	/* The caller may have ended before its death could be noticed. */
	if (getppid() != caller)
		return not_started("start: the caller has ended");
	execveat(program, "", request.command, environ, AT_EMPTY_PATH);
	return not_started("start the program");
}
