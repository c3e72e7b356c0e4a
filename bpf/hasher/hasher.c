// SPDX-License-Identifier: MIT
/*
 * immune-hasher: reads files whose file system a program may serve, and hashes them. Such a program
 * can keep who reads waiting for ever, so that not even SIGKILL ends it: then it is this process
 * that waits, and not the agent. It is started by the sensor's library (bpf/loader/hash_helper.c)
 * and ends with the process that did.
 *
 * It may read any file, and has few system calls and one socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"
#include "hash_cache.h"
#include "hasher.h"

/* What it does is never urgent. */
#define NICE 5

/* What is left after the start. */
static struct sock_filter calls[] = {
	CONFINE_BEGIN,
	CONFINE_ALLOW(__NR_read),
	CONFINE_ALLOW(__NR_recvmsg),
	CONFINE_ALLOW(__NR_sendto),
	CONFINE_ALLOW(__NR_openat),
	CONFINE_ALLOW(__NR_close),
	CONFINE_ALLOW(__NR_fstat),
	CONFINE_ALLOW(__NR_newfstatat),
	CONFINE_ALLOW(__NR_clock_gettime),
	/* Of malloc(). */
	CONFINE_ALLOW(__NR_brk),
	CONFINE_ALLOW(__NR_mmap),
	CONFINE_ALLOW(__NR_munmap),
	CONFINE_ALLOW(__NR_restart_syscall),
	CONFINE_ALLOW(__NR_exit_group),
	CONFINE_END,
};

/* Keeps of its capabilities those that let it read what is another user's. */
static int rights_drop(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct rights[2] = { { 0 }, { 0 } };
	const uint32_t reads = 1u << CAP_DAC_READ_SEARCH | 1u << CAP_DAC_OVERRIDE;

	syscall(SYS_close_range, HASHER_FD_COUNT, ~0u, 0);
	if (chdir("/") || syscall(SYS_capget, &header, rights))
		return -1;
	rights[0].permitted &= reads;
	rights[0].effective = rights[0].permitted;
	rights[0].inheritable = 0;
	memset(&rights[1], 0, sizeof(rights[1]));
	return syscall(SYS_capset, &header, rights) || prctl(PR_SET_DUMPABLE, 0) ||
	       confine(calls, sizeof(calls) / sizeof(calls[0]));
}

/* Takes a question; the descriptor that came with it, or -1 at the end. */
static int question_take(struct hasher_question *question)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec into = { question, sizeof(*question) };
	struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *rights;
	int place;

	if (recvmsg(HASHER_FD_SOCKET, &message, MSG_CMSG_CLOEXEC) != sizeof(*question))
		return -1;
	rights = CMSG_FIRSTHDR(&message);
	if (!rights || rights->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&place, CMSG_DATA(rights), sizeof(place));
	return place;
}

static bool answer_give(const struct hasher_answer *answer)
{
	return send(HASHER_FD_SOCKET, answer, sizeof(*answer), MSG_NOSIGNAL) == sizeof(*answer);
}

static bool tell_on(void *state)
{
	(void)state;
	return answer_give(&(const struct hasher_answer){ .error = HASHER_GOES_ON });
}

static int hash(const struct hasher_question *question, int fd, struct hash_cache *cache,
		struct hasher_answer *answer)
{
	const struct hash_reading reading = { tell_on, NULL };
	int error = hash_look(fd, question->record_ns, &answer->version);
	struct hash_found found;

	answer->version.lasts = answer->version.lasts && question->tells;
	if (!error)
		error = hash_cache_ask(cache, fd, &answer->version, &reading, &found);
	if (error)
		return error;
	answer->is_known = found.is_known;
	memcpy(answer->digest, found.digest, sizeof(answer->digest));
	return 0;
}

static void serve(const struct hasher_question *question, int place, struct hash_cache *cache)
{
	struct hasher_answer answer = { 0 };
	char again[32];
	int fd;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	answer.error = fd < 0 ? -errno : hash(question, fd, cache, &answer);
	/* To close is to wait, too: what stands still here is no other file's. */
	if (fd >= 0)
		close(fd);
	close(place);
	if (!answer_give(&answer))
		_exit(0);
}

int main(void)
{
	struct hasher_question question;
	struct hash_cache cache = { 0 };
	int place;

	setpriority(PRIO_PROCESS, 0, NICE);
	if (hash_cache_init(&cache) || rights_drop())
		_exit(1);
	/* Until the other end is closed. */
	while ((place = question_take(&question)) >= 0)
		serve(&question, place, &cache);
	_exit(0);
}
