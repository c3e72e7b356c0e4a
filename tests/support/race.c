// SPDX-License-Identifier: MIT
/*
 * Acts while a second thread rewrites the memory that the act is described in, and prints what
 * the kernel really did, a line each time.
 *
 *	race open A B COUNT	opens; prints the inode that was opened
 *	race connect P Q COUNT	connects a datagram socket; prints the port it is connected to
 *	race exec A B COUNT	runs A or B as "A say x" or "say y"; prints "pid image argument"
 *	race swap PATH OTHER COUNT	opens PATH while another thread puts OTHER in place of the new
 *				descriptor and keeps a copy; prints how often it had one
 *	race leave LINK OTHER PATH	opens LINK, and renames OTHER to PATH
 *	race many PATH COUNT THREADS	opens PATH that often in all; prints how many worked
 *	race time PATH COUNT RUNS	opens and closes PATH that often a run; prints each run's
 *				nanoseconds
 *
 * A and B are of one length and differ in their last byte.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct flip {
	volatile unsigned char *at;
	unsigned char with; /* exclusive or of the two values */
	volatile unsigned char *at2;
	unsigned char with2; /* rewritten every third time */
	_Atomic int stop;
	_Atomic int count;
};

static void *flip(void *argument)
{
	struct flip *flip = argument;

	while (!atomic_load_explicit(&flip->stop, memory_order_relaxed)) {
		int turn = atomic_fetch_add(&flip->count, 1);

		*flip->at ^= flip->with;
		if (flip->at2 && turn % 3 == 0)
			*flip->at2 ^= flip->with2;
	}
	return NULL;
}

/* Lets the thread that rewrites run before the first round, and when both have one CPU. */
static void let_run(const struct flip *flip, int round)
{
	while (!atomic_load(&flip->count))
		sched_yield();
	if (round % 64 == 0)
		sched_yield();
}

static int race_open(const char *a, const char *b, int count)
{
	char path[PATH_MAX];
	size_t last = strlen(a) - 1;
	struct flip flips = { .at = (unsigned char *)path + last, .with = a[last] ^ b[last] };
	pthread_t thread;

	strcpy(path, a);
	pthread_create(&thread, NULL, flip, &flips);
	for (int i = 0; i < count; i++) {
		struct stat about;
		int fd;

		let_run(&flips, i);
		fd = open(path, O_RDONLY);
		if (fd < 0 || fstat(fd, &about))
			return 1;
		printf("%lu\n", about.st_ino);
		close(fd);
	}
	flips.stop = 1;
	pthread_join(thread, NULL);
	return 0;
}

/* The descriptor that the next open gets; copies of it lie above. */
enum { NEXT = 100, OTHER = 200 };

struct swap {
	_Atomic int round; /* opens so far */
	_Atomic int kept;
	_Atomic int stop;
};

/* Each thread on a CPU of its own, where there are two. */
static void stay_on(int which)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || which-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

static void *swap(void *argument)
{
	struct swap *swap = argument;

	stay_on(1);
	for (unsigned int tries = 1; !atomic_load(&swap->stop); tries++) {
		int round = atomic_load(&swap->round), copy = dup(NEXT);

		if (copy < 0) {
			/* Who answers the open may need this CPU. */
			if (tries % 256 == 0)
				sched_yield();
			continue;
		}
		dup2(OTHER, NEXT);
		close(copy);
		atomic_fetch_add(&swap->kept, 1);
		while (atomic_load(&swap->round) == round && !atomic_load(&swap->stop))
			sched_yield();
	}
	return NULL;
}

static int race_swap(const char *path, const char *other, int count)
{
	struct swap state = { 0 };
	pthread_t thread;

	if (dup2(open(other, O_RDONLY), OTHER) != OTHER)
		return 1;
	for (int fd = 3; fd < NEXT; fd++)
		dup2(OTHER, fd);
	pthread_create(&thread, NULL, swap, &state);
	stay_on(0);
	for (int i = 0; i < count; i++) {
		int kept = atomic_load(&state.kept), fd;

		atomic_fetch_add(&state.round, 1);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return 1;
		/* Bounded: the other thread may have no CPU. */
		for (int k = 0; k < 5000 && atomic_load(&state.kept) == kept; k++)
			;
		close(fd);
		close(NEXT);
	}
	atomic_store(&state.stop, 1);
	pthread_join(thread, NULL);
	printf("%d\n", state.kept);
	return 0;
}

static int leave(const char *link, const char *other, const char *path)
{
	struct stat about;
	int fd = open(link, O_RDONLY);

	if (fd < 0 || rename(other, path) || fstat(fd, &about))
		return 1;
	printf("%lu\n", about.st_ino);
	return 0;
}

static int race_connect(int p, int q, int count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(p) };
	unsigned char *port = (unsigned char *)&to.sin_port;
	struct flip flips = { .at = port + 1, .with = (p ^ q) & 255 };
	pthread_t thread;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_create(&thread, NULL, flip, &flips);
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		struct sockaddr_in peer;
		socklen_t length = sizeof(peer);

		let_run(&flips, i);
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
		    getpeername(fd, (struct sockaddr *)&peer, &length))
			return 1;
		printf("%d\n", ntohs(peer.sin_port));
		close(fd);
	}
	flips.stop = 1;
	pthread_join(thread, NULL);
	return 0;
}

static int race_exec(const char *a, const char *b, int count)
{
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX], word[] = "x";
		char *arguments[] = { "race", "say", word, NULL };
		size_t last = strlen(a) - 1;
		struct flip flips = { (unsigned char *)path + last, a[last] ^ b[last],
				      (unsigned char *)word, 'x' ^ 'y', 0, 0 };
		pthread_t thread;
		int status;
		pid_t pid = fork();

		if (!pid) {
			strcpy(path, a);
			pthread_create(&thread, NULL, flip, &flips);
			/* Lets the other thread run first, a different while each time. */
			while (atomic_load(&flips.count) <= i)
				sched_yield();
			execv(path, arguments);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 0;
}

static int say(const char *word)
{
	char image[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", image, sizeof(image));

	if (length < 0)
		return 1;
	printf("%d %.*s %s\n", getpid(), (int)length, image, word);
	return 0;
}

struct share {
	const char *path;
	int count;
	_Atomic int *opened;
};

static void *open_share(void *argument)
{
	const struct share *share = argument;

	for (int i = 0; i < share->count; i++) {
		int fd = open(share->path, O_RDONLY);

		if (fd < 0)
			continue;
		close(fd);
		atomic_fetch_add(share->opened, 1);
	}
	return NULL;
}

static int open_many(const char *path, int count, int threads)
{
	_Atomic int opened = 0;
	struct share share = { path, count / threads, &opened };
	pthread_t thread[64];

	for (int i = 0; i < threads && i < 64; i++)
		pthread_create(&thread[i], NULL, open_share, &share);
	for (int i = 0; i < threads && i < 64; i++)
		pthread_join(thread[i], NULL);
	printf("%d\n", opened);
	return 0;
}

static int time_opens(const char *path, int count, int runs)
{
	for (int run = 0; run < runs; run++) {
		struct timespec start, end;

		clock_gettime(CLOCK_MONOTONIC, &start);
		for (int i = 0; i < count; i++) {
			int fd = open(path, O_RDONLY);

			if (fd < 0)
				return 1;
			close(fd);
		}
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("%ld\n", (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec -
				       start.tv_nsec);
	}
	return 0;
}

int main(int count, char **arguments)
{
	const char *mode = count > 2 ? arguments[1] : "";

	if (!strcmp(mode, "say"))
		return say(arguments[2]);
	if (count != 5)
		return 2;
	if (!strcmp(mode, "open"))
		return race_open(arguments[2], arguments[3], atoi(arguments[4]));
	if (!strcmp(mode, "connect"))
		return race_connect(atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
	if (!strcmp(mode, "exec"))
		return race_exec(arguments[2], arguments[3], atoi(arguments[4]));
	if (!strcmp(mode, "swap"))
		return race_swap(arguments[2], arguments[3], atoi(arguments[4]));
	if (!strcmp(mode, "leave"))
		return leave(arguments[2], arguments[3], arguments[4]);
	if (!strcmp(mode, "many"))
		return open_many(arguments[2], atoi(arguments[3]), atoi(arguments[4]));
	if (!strcmp(mode, "time"))
		return time_opens(arguments[2], atoi(arguments[3]), atoi(arguments[4]));
	return 2;
}
