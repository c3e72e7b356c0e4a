/* SPDX-License-Identifier: MIT */
/*
 * A flood of file events beside some processes: flood PATH RATE SECONDS THREADS CHILDREN. Opens and
 * closes PATH from THREADS threads, RATE times a second together, and starts CHILDREN programs a
 * second meanwhile. Prints opens, children that ended well, and CPU time in microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000ll
/* Opens between two looks at the clock. */
#define BURST 50
#define THREADS_MAX 16

extern char **environ;

struct flood {
	const char *path;
	long long rate; /* of one thread, a second */
	long long end_ns;
	atomic_llong opens;
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void sleep_until(long long at_ns)
{
	struct timespec at = { at_ns / NS_PER_SECOND, at_ns % NS_PER_SECOND };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void *open_often(void *argument)
{
	struct flood *flood = argument;
	long long start = now_ns(), now = start, opens = 0;

	while (now < flood->end_ns) {
		long long due = (now - start) * flood->rate / NS_PER_SECOND;

		/* One that fell behind does not catch up: a host gives what it has. */
		if (opens >= due)
			sleep_until(start + (opens + BURST) * NS_PER_SECOND / flood->rate);
		for (int i = 0; i < BURST; i++) {
			int fd = open(flood->path, O_RDONLY | O_CLOEXEC);

			if (fd < 0)
				exit(1);
			close(fd);
		}
		opens += BURST;
		now = now_ns();
	}
	atomic_fetch_add(&flood->opens, opens);
	return NULL;
}

static int spawn_some(long long end_ns, int rate)
{
	char *const idle[] = { "/bin/true", NULL };
	long long at_ns = now_ns();
	int done = 0;

	while (rate > 0 && (at_ns += NS_PER_SECOND / rate) < end_ns) {
		pid_t child;
		int status;

		sleep_until(at_ns);
		if (posix_spawn(&child, idle[0], NULL, NULL, idle, environ) ||
		    waitpid(child, &status, 0) != child || status)
			exit(1);
		done++;
	}
	return done;
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
	pthread_t threads[THREADS_MAX];
	struct flood flood = { 0 };
	int number = count == 6 ? atoi(arguments[4]) : 0, children;

	if (number < 1 || number > THREADS_MAX || atoll(arguments[2]) < number)
		return 2;
	flood.path = arguments[1];
	flood.rate = atoll(arguments[2]) / number;
	flood.end_ns = now_ns() + atoll(arguments[3]) * NS_PER_SECOND;
	for (int i = 0; i < number; i++)
		if (pthread_create(&threads[i], NULL, open_often, &flood))
			return 1;
	children = spawn_some(flood.end_ns, atoi(arguments[5]));
	for (int i = 0; i < number; i++)
		pthread_join(threads[i], NULL);
	printf("%lld %d %lld\n", (long long)flood.opens, children, cpu_us(RUSAGE_SELF));
	return 0;
}
