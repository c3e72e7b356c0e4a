// SPDX-License-Identifier: MIT
/*
 * immune-guardian: lets the opens of one fanotify group go while the agent does not answer them. It
 * is started by the sensor's library (bpf/loader/guardian.c) and ends with the process that did.
 *
 * It has no capability and few system calls; what it has is one group, one page of memory, the end
 * of a pipe and an eventfd.
 */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "guardian.h"

/* Events that are let go between two looks at whether the agent is back. */
#define LET_GO_MAX 4096

#if defined(__x86_64__)
#define POLL_NUMBER __NR_poll
#else
#define POLL_NUMBER __NR_ppoll
#endif

/* What is left after the start. */
static struct sock_filter calls[] = {
	CONFINE_BEGIN,
	CONFINE_ALLOW(__NR_read),
	CONFINE_ALLOW(__NR_write),
	CONFINE_ALLOW(__NR_close),
	CONFINE_ALLOW(POLL_NUMBER),
	CONFINE_ALLOW(__NR_restart_syscall),
	CONFINE_ALLOW(__NR_exit_group),
	CONFINE_END,
};

/*
 * Fills the low numbers of descriptors, those that events of the agent have: an answer of the agent
 * that comes late can then never be taken for one to an event of this process.
 */
static int numbers_fill(void)
{
	struct rlimit limit;

	syscall(SYS_close_range, GUARDIAN_FD_COUNT, ~0u, 0);
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int number = 0; number < GUARDIAN_EVENT_FD && (rlim_t)number < limit.rlim_cur / 2;
	     number++)
		if ((number < GUARDIAN_FD_GROUP || number >= GUARDIAN_FD_COUNT) &&
		    dup2(GUARDIAN_FD_POKE, number) < 0)
			return -1;
	return 0;
}

/* Gives up what it does not need; the group was opened by one who may. */
static int rights_drop(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	return chdir("/") || prctl(PR_SET_DUMPABLE, 0) || syscall(SYS_capset, &header, none) ||
	       confine(calls, sizeof(calls) / sizeof(calls[0]));
}

/* True when this answer was the one. */
static bool let_go(int32_t fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };

	return write(GUARDIAN_FD_GROUP, &response, sizeof(response)) == sizeof(response);
}

/* Whether there is an event that was not even read. */
static bool somebody_waits(void)
{
	struct pollfd group = { .fd = GUARDIAN_FD_GROUP, .events = POLLIN };

	return poll(&group, 1, 0) > 0;
}

/* Places of the page, and at how many looks in a row each held the same event. */
struct places {
	uint64_t turns[GUARDIAN_EVENTS_MAX];
	int looks[GUARDIAN_EVENTS_MAX];
};

/* Lets an event go that the agent has read, and holds. */
static bool relieve(struct guardian_page *page, int i, int32_t fd)
{
	return __atomic_compare_exchange_n(&page->events[i].fd, &fd, guardian_taken(fd), false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
	       let_go(fd);
}

/* Looks at what the agent holds: what it holds for too long goes, or all while it stands still. */
static uint64_t relieve_late(struct guardian_page *page, struct places *places, bool stands_still)
{
	uint64_t count = 0;

	for (int i = 0; i < GUARDIAN_EVENTS_MAX; i++) {
		uint64_t turn = atomic_load(&page->turns[i]);
		int32_t fd = __atomic_load_n(&page->events[i].fd, __ATOMIC_ACQUIRE);

		places->looks[i] = turn == places->turns[i] ? places->looks[i] + 1 : 0;
		places->turns[i] = turn;
		if (fd >= 0 && (stands_still || places->looks[i] >= GUARDIAN_LOOKS_MAX))
			count += relieve(page, i, fd);
	}
	return count;
}

/* Events that nobody has read; one at a time, so that the agent gets the next when it is back. */
static uint64_t serve(struct guardian_page *page, uint64_t beat)
{
	struct fanotify_event_metadata *event = &page->served;
	uint64_t count = 0;

	for (int i = 0; i < LET_GO_MAX && atomic_load(&page->beat) == beat; i++) {
		if (read(GUARDIAN_FD_GROUP, event, sizeof(*event)) != sizeof(*event))
			break;
		if (event->fd < 0) {
			/* The kernel let go what the group had no room for, it does not say how much. */
			count += !!(event->mask & FAN_Q_OVERFLOW);
			continue;
		}
		count += let_go(event->fd);
		close(event->fd);
		event->fd = FAN_NOFD;
	}
	return count;
}

static void tell(struct guardian_page *page, uint64_t relieved, uint64_t unseen)
{
	uint64_t one = 1;
	ssize_t written;

	if (!relieved && !unseen)
		return;
	atomic_fetch_add(&page->relieved, relieved);
	atomic_fetch_add(&page->unseen, unseen);
	written = write(GUARDIAN_FD_POKE, &one, sizeof(one));
	(void)written;
}

static int guard(struct guardian_page *page)
{
	static struct places places;
	struct pollfd waits[] = {
		{ .fd = GUARDIAN_FD_END },
		{ .fd = GUARDIAN_FD_GROUP, .events = POLLIN },
	};
	uint64_t beat = atomic_load(&page->beat);
	int looks = 0;

	/* What a guardian before this one had read, and was killed before it answered. */
	if (page->served.fd >= 0)
		tell(page, 0, let_go(page->served.fd));
	page->served.fd = FAN_NOFD;
	/* Until the other process ends. */
	for (;;) {
		bool stands_still = looks >= GUARDIAN_LOOKS_MAX;
		uint64_t now;

		/* While the agent answers, no open wakes this process. */
		poll(waits, stands_still ? 2 : 1, GUARDIAN_LOOK_MS);
		if (waits[0].revents)
			return 0;
		atomic_fetch_add(&page->looks, 1);
		now = atomic_load(&page->beat);
		if (now != beat)
			looks = 0;
		else if (!stands_still)
			looks = somebody_waits() ? looks + 1 : 0;
		stands_still = looks >= GUARDIAN_LOOKS_MAX;
		beat = now;
		tell(page, relieve_late(page, &places, stands_still),
		     stands_still ? serve(page, beat) : 0);
	}
}

int main(void)
{
	struct guardian_page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED,
					  GUARDIAN_FD_PAGE, 0);

	if (page == MAP_FAILED || numbers_fill() || rights_drop())
		_exit(1);
	_exit(guard(page));
}
