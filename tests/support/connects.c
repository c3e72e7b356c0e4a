// SPDX-License-Identifier: MIT
/*
 * Connects to a listener of its own on the loopback in an unusual way and prints its port.
 *
 *	connects fastopen|uring|mapped|mptcp
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int connect_fastopen(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)to, sizeof(*to)) == 1;
}

static int connect_mptcp(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

	return fd >= 0 && !connect(fd, (const struct sockaddr *)to, sizeof(*to));
}

static int connect_mapped(const struct sockaddr_in *to)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = to->sin_port };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	mapped.sin6_addr.s6_addr[10] = 0xff;
	mapped.sin6_addr.s6_addr[11] = 0xff;
	memcpy(mapped.sin6_addr.s6_addr + 12, &to->sin_addr, 4);
	return !connect(fd, (const struct sockaddr *)&mapped, sizeof(mapped));
}

static int connect_uring(const struct sockaddr_in *to)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 2, &params);
	unsigned char *submit, *complete;
	struct io_uring_sqe *entry;
	struct io_uring_cqe *result;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (ring < 0)
		return 0;
	submit = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE,
		      MAP_SHARED, ring, IORING_OFF_SQ_RING);
	complete = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(*result),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	entry = mmap(NULL, params.sq_entries * sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED,
		     ring, IORING_OFF_SQES);
	if (submit == MAP_FAILED || complete == MAP_FAILED || entry == MAP_FAILED)
		return 0;
	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = (unsigned long)to,
		.off = sizeof(*to),
	};
	*(unsigned *)(submit + params.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(submit + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return 0;
	result = (struct io_uring_cqe *)(complete + params.cq_off.cqes);
	return result->res == 0;
}

int main(int count, char **arguments)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), backlog = 4, worked;
	const char *how = count == 2 ? arguments[1] : "";

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof(backlog)) ||
	    listen(fd, 4) || getsockname(fd, (struct sockaddr *)&at, &length))
		return 3;
	if (!strcmp(how, "fastopen"))
		worked = connect_fastopen(&at);
	else if (!strcmp(how, "uring"))
		worked = connect_uring(&at);
	else if (!strcmp(how, "mapped"))
		worked = connect_mapped(&at);
	else if (!strcmp(how, "mptcp"))
		worked = connect_mptcp(&at);
	else
		return 2;
	printf("%d\n", ntohs(at.sin_port));
	return !worked;
}
