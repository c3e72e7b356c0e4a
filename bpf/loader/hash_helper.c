// SPDX-License-Identifier: MIT
#include "hash_helper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "small_program.h"

/* How long one that nothing holds may take to end. */
#define END_MS 500

/* Those that were killed, until they have ended. Nothing is waited for under the lock. */
static struct {
	pthread_mutex_t lock;
	pid_t pids[HASH_HELPERS_LEFT_MAX];
} left = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int hash_helpers_left(void)
{
	int count = 0;

	pthread_mutex_lock(&left.lock);
	for (int i = 0; i < HASH_HELPERS_LEFT_MAX; i++) {
		if (left.pids[i] && waitpid(left.pids[i], NULL, WNOHANG))
			left.pids[i] = 0;
		count += left.pids[i] != 0;
	}
	pthread_mutex_unlock(&left.lock);
	return count;
}

/* There is a place, as with none free no helper is started; but where helpers of two sensors of
 * this process are left at once: the one over it is not counted. */
static void leave(pid_t pid)
{
	pthread_mutex_lock(&left.lock);
	for (int i = 0; i < HASH_HELPERS_LEFT_MAX; i++)
		if (!left.pids[i]) {
			left.pids[i] = pid;
			break;
		}
	pthread_mutex_unlock(&left.lock);
}

void hash_helper_end(struct hash_helper *helper)
{
	const struct timespec pause = { 0, 1000000 };

	if (!helper->pid)
		return;
	close(helper->socket);
	kill(helper->pid, SIGKILL);
	for (int i = 0; helper->pid && i < END_MS; i++) {
		if (waitpid(helper->pid, NULL, WNOHANG))
			helper->pid = 0;
		else
			nanosleep(&pause, NULL);
	}
	if (helper->pid)
		leave(helper->pid);
	helper->pid = 0;
}

static int begin(struct hash_helper *helper)
{
	int ends[2], error;
	const struct small_program program = {
		.name = "immune-hasher",
		.descriptors = &ends[1],
		.count = 1,
		.without = "without it programs that a program may serve are not hashed",
	};

	if (hash_helpers_left() == HASH_HELPERS_LEFT_MAX)
		return -EBUSY;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	error = small_program_start(&program, &helper->pid);
	close(ends[1]);
	if (error) {
		helper->pid = 0;
		close(ends[0]);
		return error;
	}
	helper->socket = ends[0];
	return 0;
}

static int send_question(int socket, const struct hasher_question *question, int place)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec from = { (void *)question, sizeof(*question) };
	struct msghdr message = { .msg_iov = &from, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(place));
	memcpy(CMSG_DATA(rights), &place, sizeof(place));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Waits for a message: 0, ETIME, ECANCELED, or EPIPE when the helper ended. */
static int wait_answer(const struct hash_helper *helper, struct hasher_answer *answer, int64_t until)
{
	struct pollfd waits[] = { { .fd = helper->stop, .events = POLLIN },
				  { .fd = helper->socket, .events = POLLIN } };
	int64_t left_ms = until - now_ms();
	int count = left_ms > 0 ? poll(waits, 2, (int)left_ms) : 0;

	if (count < 0)
		return -errno;
	if (!count)
		return -ETIME;
	if (waits[0].revents)
		return -ECANCELED;
	return recv(helper->socket, answer, sizeof(*answer), 0) == sizeof(*answer) ? 0 : -EPIPE;
}

int hash_helper_ask(struct hash_helper *helper, const struct hasher_question *question, int place,
		    struct hasher_answer *answer)
{
	int64_t end = now_ms() + HASH_HELPER_FILE_MS;
	int error = helper->pid ? 0 : begin(helper);

	if (error)
		return error;
	error = send_question(helper->socket, question, place);
	/* Bounded by the time that a file may take. */
	do {
		int64_t until = now_ms() + HASH_HELPER_STILL_MS;

		if (!error)
			error = wait_answer(helper, answer, until < end ? until : end);
	} while (!error && answer->error == HASHER_GOES_ON);
	if (error)
		hash_helper_end(helper);
	return error;
}
