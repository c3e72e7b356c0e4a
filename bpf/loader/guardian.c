// SPDX-License-Identifier: MIT
/* The guarded side: what reads and answers, and starts its guardian again when that ended. */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "small_program.h"

/* Guardians of a process at a time. */
#define GUARDIANS_MAX 64
/* One that did not look for so long stands still itself. */
#define STANDS_STILL_NS 10000000000ull
/* How long one may take to end. */
#define END_MS 1000

struct guardian {
	struct guardian_page *page;
	int group, page_fd, poke_eventfd;
	int end_fd; /* the guardian ends when this end of the pipe is closed */
	pid_t pid; /* 0 = it ended */
	uint64_t looks, looked_ns; /* of its page, and since when they are so many */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `all` and pids */
static struct guardian *all[GUARDIANS_MAX];

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static int spawn(struct guardian *guardian, int end)
{
	const int own[] = { guardian->group, guardian->page_fd, end, guardian->poke_eventfd };
	const struct small_program program = {
		.name = "immune-guardian",
		.descriptors = own,
		.count = sizeof(own) / sizeof(own[0]),
		.without = "without it nobody answers opens while the agent stands still",
	};

	return small_program_start(&program, &guardian->pid);
}

static int begin(struct guardian *guardian)
{
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC)) {
		error = -errno;
		immune_fail("Cannot make a pipe to a guardian: %s", strerror(-error));
		return error;
	}
	guardian->pid = 0;
	error = spawn(guardian, ends[0]);
	close(ends[0]);
	if (error) {
		guardian->pid = 0;
		close(ends[1]);
		return error;
	}
	guardian->end_fd = ends[1];
	guardian->looks = atomic_load(&guardian->page->looks);
	guardian->looked_ns = now_ns();
	return 0;
}

/* Closes its end of the pipe and takes the process away, which had to be killed if it did not end. */
static void finish(struct guardian *guardian)
{
	const struct timespec pause = { 0, 1000000 };
	int status;

	if (guardian->end_fd >= 0)
		close(guardian->end_fd);
	guardian->end_fd = -1;
	for (int i = 0; guardian->pid && i < END_MS; i++) {
		if (waitpid(guardian->pid, &status, WNOHANG))
			guardian->pid = 0;
		else
			nanosleep(&pause, NULL);
	}
	if (!guardian->pid)
		return;
	kill(guardian->pid, SIGKILL);
	waitpid(guardian->pid, &status, 0);
	guardian->pid = 0;
}

static bool list_swap(struct guardian *from, struct guardian *to)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < GUARDIANS_MAX && !found; i++) {
		found = all[i] == from;
		if (found)
			all[i] = to;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static int page_map(struct guardian *guardian)
{
	guardian->page_fd = memfd_create("immune-guardian", MFD_CLOEXEC);
	if (guardian->page_fd < 0 || ftruncate(guardian->page_fd, sizeof(*guardian->page)))
		return -errno;
	guardian->page = mmap(NULL, sizeof(*guardian->page), PROT_READ | PROT_WRITE, MAP_SHARED,
			      guardian->page_fd, 0);
	if (guardian->page == MAP_FAILED) {
		guardian->page = NULL;
		return -errno;
	}
	for (int i = 0; i < GUARDIAN_EVENTS_MAX; i++)
		guardian->page->events[i].fd = FAN_NOFD;
	guardian->page->served.fd = FAN_NOFD;
	return 0;
}

int guardian_start(struct guardian **out, int group, int poke_eventfd)
{
	struct guardian *guardian = calloc(1, sizeof(*guardian));
	int error;

	*out = NULL;
	if (!guardian)
		return -ENOMEM;
	guardian->group = group;
	guardian->poke_eventfd = poke_eventfd;
	guardian->end_fd = -1;
	error = page_map(guardian);
	if (error)
		immune_fail("Cannot share memory with a guardian: %s", strerror(-error));
	else
		error = begin(guardian);
	if (!error && !list_swap(NULL, guardian)) {
		immune_fail("Cannot guard more than %d groups in one process", GUARDIANS_MAX);
		error = -ENOSPC;
	}
	if (error)
		guardian_stop(guardian);
	else
		*out = guardian;
	return error;
}

void guardian_beat(struct guardian *guardian)
{
	atomic_fetch_add(&guardian->page->beat, 1);
}

uint32_t guardian_read(struct guardian *guardian, uint32_t first, uint32_t count)
{
	struct fanotify_event_metadata *read_into = guardian->page->events + first;
	ssize_t length;

	/* One thread reads, so that no step of these has to be atomic as a whole. */
	for (uint32_t i = first; i < first + count; i++)
		atomic_store_explicit(&guardian->page->turns[i],
				      atomic_load_explicit(&guardian->page->turns[i],
							   memory_order_relaxed) + 1,
				      memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	/* Here the kernel itself tells the guardian what was read: no instant is between. */
	length = read(guardian->group, read_into, count * sizeof(*read_into));
	return length > 0 ? (uint32_t)((size_t)length / sizeof(*read_into)) : 0;
}

struct fanotify_event_metadata guardian_event(const struct guardian *guardian, uint32_t i)
{
	struct fanotify_event_metadata event = guardian->page->events[i];
	int32_t fd = __atomic_load_n(&guardian->page->events[i].fd, __ATOMIC_ACQUIRE);

	event.fd = fd < FAN_NOFD ? guardian_taken(fd) : fd;
	return event;
}

enum guardian_answered guardian_answer(struct guardian *guardian, uint32_t i, bool refused)
{
	struct fanotify_event_metadata event = guardian_event(guardian, i);
	struct fanotify_response response = { event.fd, refused ? FAN_DENY : FAN_ALLOW };
	/* Written whoever was first: of two answers the kernel takes one. */
	bool given = write(guardian->group, &response, sizeof(response)) == sizeof(response);
	int32_t was = __atomic_exchange_n(&guardian->page->events[i].fd, FAN_NOFD,
					  __ATOMIC_ACQ_REL);

	guardian_beat(guardian);
	if (given)
		return GUARDIAN_ANSWERED;
	return was < FAN_NOFD ? GUARDIAN_LATE : GUARDIAN_NOBODY;
}

uint64_t guardian_unseen(const struct guardian *guardian)
{
	return atomic_load(&guardian->page->unseen);
}

uint64_t guardian_relieved(const struct guardian *guardian)
{
	return atomic_load(&guardian->page->relieved);
}

/* Whether it is there and looks; one that does not is ended. */
static bool looks(struct guardian *guardian)
{
	uint64_t count = atomic_load(&guardian->page->looks);
	int status;

	if (guardian->pid && waitpid(guardian->pid, &status, WNOHANG))
		guardian->pid = 0;
	if (!guardian->pid)
		return false;
	if (count == guardian->looks)
		return now_ns() - guardian->looked_ns < STANDS_STILL_NS;
	guardian->looks = count;
	guardian->looked_ns = now_ns();
	return true;
}

bool guardians_check(bool *guarded)
{
	bool found = false;

	*guarded = true;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < GUARDIANS_MAX; i++) {
		if (!all[i] || looks(all[i]))
			continue;
		found = true;
		if (all[i]->pid)
			kill(all[i]->pid, SIGKILL);
		finish(all[i]);
		*guarded &= !begin(all[i]);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

void guardian_stop(struct guardian *guardian)
{
	if (!guardian)
		return;
	list_swap(guardian, NULL);
	finish(guardian);
	if (guardian->page)
		munmap(guardian->page, sizeof(*guardian->page));
	if (guardian->page_fd >= 0)
		close(guardian->page_fd);
	free(guardian);
}
