/* SPDX-License-Identifier: MIT */
/*
 * Workloads whose cost a sensor changes: load NAME TIMES. Prints the CPU time of itself and its
 * children in microseconds. Everything stays on this host.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void open_often(const char *path, int times)
{
	for (int i = 0; i < times; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			exit(1);
		close(fd);
	}
}

static void run_often(char *const arguments[], int times)
{
	for (int i = 0; i < times; i++) {
		pid_t child;
		int status;

		if (posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ) ||
		    waitpid(child, &status, 0) != child || status)
			exit(1);
	}
}

/* Connects to a socket of its own that listens, and takes the connection. */
static void connect_often(int times)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) || listen(server, 8) ||
	    getsockname(server, (struct sockaddr *)&address, &length))
		exit(1);
	for (int i = 0; i < times; i++) {
		/* Closed by a reset, so that no port waits. */
		struct linger none = { .l_onoff = 1 };
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), taken;

		if (connect(client, (struct sockaddr *)&address, sizeof(address)))
			exit(1);
		taken = accept4(server, NULL, NULL, SOCK_CLOEXEC);
		setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		close(client);
		close(taken);
	}
}

static long long cpu_us(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ll +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int main(int count, char **arguments)
{
	char *const idle[] = { "/bin/true", NULL };
	char *const loop[] = { "/bin/bash", "-c",
			       "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; x=$(echo $i); done",
			       NULL };
	int times = count == 3 ? atoi(arguments[2]) : 0;
	const char *name = count == 3 ? arguments[1] : "";

	if (!strcmp(name, "open_unwatched"))
		open_often("/bin/true", times);
	else if (!strcmp(name, "open_watched"))
		open_often("/etc/shadow", times);
	else if (!strcmp(name, "spawn"))
		run_often(idle, times);
	else if (!strcmp(name, "bash"))
		run_often(loop, times);
	else if (!strcmp(name, "connect"))
		connect_often(times);
	else
		return 2;
	printf("%lld\n", cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN));
	return 0;
}
