// SPDX-License-Identifier: MIT
/*
 * Starts a program so many times and prints how each start ended, counted, and how many bytes all
 * of them printed: "refused 5 killed 0 ran 0 bytes 0".
 *
 *	runs TIMES execve|memfd|script PROGRAM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int memory_copy(const char *program)
{
	int from = open(program, O_RDONLY), to = memfd_create("copy", 0);
	char buffer[4096], path[32];
	ssize_t length;

	while ((length = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)length) != length)
			exit(3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	return open(path, O_RDONLY);
}

static void start(const char *how, const char *program, int memory)
{
	char *own[] = { (char *)program, NULL };
	char *script[] = { "/bin/sh", (char *)program, NULL };
	char *environment[] = { NULL };

	if (!strcmp(how, "memfd"))
		syscall(SYS_execveat, memory, "", own, environment, AT_EMPTY_PATH);
	else if (!strcmp(how, "script"))
		execve("/bin/sh", script, environment);
	else
		execve(program, own, environment);
	_exit(errno == EPERM ? 77 : 78);
}

int main(int count, char **arguments)
{
	int refused = 0, killed = 0, ran = 0, bytes = 0, out[2], memory = -1;
	char buffer[65536];
	ssize_t length;

	if (count != 4 || pipe2(out, O_NONBLOCK))
		return 2;
	if (!strcmp(arguments[2], "memfd"))
		memory = memory_copy(arguments[3]);
	for (int i = 0; i < atoi(arguments[1]); i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			dup2(out[1], 1);
			start(arguments[2], arguments[3], memory);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 3;
		refused += WIFEXITED(status) && WEXITSTATUS(status) == 77;
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		ran += WIFEXITED(status) && WEXITSTATUS(status) != 77;
		while ((length = read(out[0], buffer, sizeof(buffer))) > 0)
			bytes += (int)length;
	}
	printf("refused %d killed %d ran %d bytes %d\n", refused, killed, ran, bytes);
	return 0;
}
