// SPDX-License-Identifier: MIT
/*
 * Reaches for an address in an unusual way, in a network namespace of its own, and prints the error
 * number that it got and how many packets left: "1 0" was refused before there was one.
 *
 *	contact tcp|udp|mapped|mapped_udp|fastopen|uring|mptcp|bind ADDRESS PORT
 *	contact udplite|udplite_sent|ping ADDRESS PORT
 *	contact any6|any6_udp ADDRESS PORT	(to ::, whatever ADDRESS)
 *	contact bound|sent_from ADDRESS PORT	(to 0.0.0.0, from ADDRESS)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* The loopback of a new namespace is down. */
static int own_network(void)
{
	struct ifreq loopback = { .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		return -1;
	strcpy(loopback.ifr_name, "lo");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	return ioctl(fd, SIOCSIFFLAGS, &loopback) || close(fd) ? -1 : 0;
}

static struct sockaddr_in6 mapped(const struct sockaddr_in *to)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = to->sin_port };

	address.sin6_addr.s6_addr[10] = 0xff;
	address.sin6_addr.s6_addr[11] = 0xff;
	memcpy(address.sin6_addr.s6_addr + 12, &to->sin_addr, 4);
	return address;
}

static int by_connect(int family, int type, int protocol, const struct sockaddr_in *to)
{
	struct sockaddr_in6 six = mapped(to);
	int fd = socket(family, type, protocol);

	if (fd < 0)
		return errno;
	if (family == AF_INET6)
		return connect(fd, (struct sockaddr *)&six, sizeof(six)) ? errno : 0;
	return connect(fd, (const struct sockaddr *)to, sizeof(*to)) ? errno : 0;
}

static int by_send(int family, int type, int flags, const struct sockaddr_in *to)
{
	struct sockaddr_in6 six = mapped(to);
	int fd = socket(family, type, 0);
	ssize_t sent;

	if (family == AF_INET6)
		sent = sendto(fd, "x", 1, flags, (struct sockaddr *)&six, sizeof(six));
	else
		sent = sendto(fd, "x", 1, flags, (const struct sockaddr *)to, sizeof(*to));
	return sent == 1 ? 0 : errno;
}

static int by_lite(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);

	if (fd < 0)
		return errno;
	return sendto(fd, "x", 1, 0, (const struct sockaddr *)to, sizeof(*to)) == 1 ? 0 : errno;
}

/* The range of groups that may have such sockets is empty in a new namespace. */
static int by_ping(const struct sockaddr_in *to)
{
	struct icmphdr request = { .type = ICMP_ECHO };
	int range = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	int fd;

	if (range < 0 || write(range, "0 2147483647", 12) != 12)
		return errno;
	fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	if (fd < 0)
		return errno;
	return sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)to, sizeof(*to)) < 0
		       ? errno
		       : 0;
}

static int by_bind(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (const struct sockaddr *)at, sizeof(*at)) ? errno : 0;
}

static int to_any6(int type, const struct sockaddr_in *to)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = to->sin_port };
	int fd = socket(AF_INET6, type, 0);

	if (type == SOCK_STREAM)
		return connect(fd, (struct sockaddr *)&any, sizeof(any)) ? errno : 0;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&any, sizeof(any)) == 1 ? 0 : errno;
}

/* To 0.0.0.0 by a socket that has an address of its own. */
static int from_bound(const struct sockaddr_in *from)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = from->sin_port };
	struct sockaddr_in own = *from;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	own.sin_port = 0;
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
		return errno;
	return connect(fd, (struct sockaddr *)&any, sizeof(any)) ? errno : 0;
}

/* To 0.0.0.0 by a datagram that brings the address that it is from. */
static int from_sent(const struct sockaddr_in *from)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = from->sin_port };
	struct iovec bytes = { .iov_base = "x", .iov_len = 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { 0 };
	struct msghdr message = {
		.msg_name = &any,
		.msg_namelen = sizeof(any),
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct in_pktinfo about = { .ipi_spec_dst = from->sin_addr };

	control.header.cmsg_level = IPPROTO_IP;
	control.header.cmsg_type = IP_PKTINFO;
	control.header.cmsg_len = CMSG_LEN(sizeof(about));
	memcpy(CMSG_DATA(&control.header), &about, sizeof(about));
	return sendmsg(socket(AF_INET, SOCK_DGRAM, 0), &message, 0) == 1 ? 0 : errno;
}

static int by_uring(const struct sockaddr_in *to)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 2, &params);
	unsigned char *submit, *complete;
	struct io_uring_sqe *entry;
	struct io_uring_cqe *result;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (ring < 0)
		return errno;
	submit = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE,
		      MAP_SHARED, ring, IORING_OFF_SQ_RING);
	complete = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(*result),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	entry = mmap(NULL, params.sq_entries * sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED,
		     ring, IORING_OFF_SQES);
	if (submit == MAP_FAILED || complete == MAP_FAILED || entry == MAP_FAILED)
		return errno;
	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = (unsigned long)to,
		.off = sizeof(*to),
	};
	*(unsigned *)(submit + params.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(submit + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return errno;
	result = (struct io_uring_cqe *)(complete + params.cq_off.cqes);
	return -result->res;
}

static int reach(const char *how, const struct sockaddr_in *to)
{
	if (!strcmp(how, "tcp"))
		return by_connect(AF_INET, SOCK_STREAM, 0, to);
	if (!strcmp(how, "mapped"))
		return by_connect(AF_INET6, SOCK_STREAM, 0, to);
	if (!strcmp(how, "mptcp"))
		return by_connect(AF_INET, SOCK_STREAM, IPPROTO_MPTCP, to);
	if (!strcmp(how, "udp"))
		return by_send(AF_INET, SOCK_DGRAM, 0, to);
	if (!strcmp(how, "mapped_udp"))
		return by_send(AF_INET6, SOCK_DGRAM, 0, to);
	if (!strcmp(how, "fastopen"))
		return by_send(AF_INET, SOCK_STREAM, MSG_FASTOPEN, to);
	if (!strcmp(how, "uring"))
		return by_uring(to);
	if (!strcmp(how, "udplite"))
		return by_connect(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, to);
	if (!strcmp(how, "udplite_sent"))
		return by_lite(to);
	if (!strcmp(how, "ping"))
		return by_ping(to);
	if (!strcmp(how, "any6"))
		return to_any6(SOCK_STREAM, to);
	if (!strcmp(how, "any6_udp"))
		return to_any6(SOCK_DGRAM, to);
	if (!strcmp(how, "bound"))
		return from_bound(to);
	if (!strcmp(how, "sent_from"))
		return from_sent(to);
	if (!strcmp(how, "bind"))
		return by_bind(to);
	exit(2);
}

int main(int count, char **arguments)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int packets = 0, capture, error;
	char packet[2048];

	if (count != 4 || inet_pton(AF_INET, arguments[2], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((unsigned short)atoi(arguments[3]));
	if (own_network())
		return 3;
	capture = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (capture < 0)
		return 4;
	error = reach(arguments[1], &to);
	/* Loopback hands packets on at once: those that were made are there by now. */
	while (recv(capture, packet, sizeof(packet), MSG_DONTWAIT) >= 0)
		packets++;
	printf("%d %d\n", error, packets);
	return 0;
}
