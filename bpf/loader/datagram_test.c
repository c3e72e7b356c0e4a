// SPDX-License-Identifier: MIT
/* Datagrams that name their receiver: a connect record each, once a socket and receiver. */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define ENDS_MAX 16
#define PORT 40011
/* A port that nobody is given who chose none. */
#define CHOSEN_PORT 20411
/* Nobody else connects to it; the test's last one. */
#define LAST "127.99.98.97"

struct ends {
	char text[ENDS_MAX][INET6_ADDRSTRLEN];
	uint32_t count;
	bool done;
};

static void note(const struct immune_record_header *record, void *state)
{
	const struct immune_connect_body *body = body_of(record);
	struct ends *ends = state;

	if (record->kind != IMMUNE_KIND_CONNECT || record->pid != (uint32_t)getpid())
		return;
	must(body->port == PORT && body->protocol == IPPROTO_UDP && body->socket_type == SOCK_DGRAM,
	     "port %u, protocol %u", body->port, body->protocol);
	must(ends->count < ENDS_MAX, "too many records");
	inet_ntop(body->family, body->address, ends->text[ends->count], INET6_ADDRSTRLEN);
	ends->done = !strcmp(ends->text[ends->count++], LAST);
}

static struct sockaddr_storage end_of(const char *address, uint16_t port, socklen_t *length)
{
	struct sockaddr_storage end = { .ss_family = strchr(address, ':') ? AF_INET6 : AF_INET };
	struct sockaddr_in6 *six = (void *)&end;
	struct sockaddr_in *four = (void *)&end;

	*length = end.ss_family == AF_INET ? sizeof(*four) : sizeof(*six);
	four->sin_port = htons(port);
	must(inet_pton(end.ss_family, address, end.ss_family == AF_INET ? (void *)&four->sin_addr
									 : &six->sin6_addr) == 1,
	     "%s", address);
	return end;
}

static void send_to(int fd, const char *address, int times)
{
	socklen_t length;
	struct sockaddr_storage end = end_of(address, PORT, &length);

	/* Nobody listens: the second one may be told so of the first. */
	for (int i = 0; i < times; i++)
		must(sendto(fd, "x", 1, 0, (void *)&end, length) == 1 || errno == ECONNREFUSED,
		     "%s: %s", address, strerror(errno));
}

static int datagrams(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

void test_datagrams(void)
{
	static const char *const expected[] = {
		"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "::1", "127.0.0.5",
		"127.0.0.1", LAST,
	};
	struct immune_sensor *sensor = sensor_with(0, 0);
	int four = datagrams(AF_INET), connected = datagrams(AF_INET), six = datagrams(AF_INET6);
	int chosen = datagrams(AF_INET), other = datagrams(AF_INET);
	static struct ends ends;
	uint64_t filtered;
	struct sockaddr_storage end;
	socklen_t length;

	policy_set(sensor, 0, EVERY_KIND);
	send_to(four, "127.0.0.1", 3);
	send_to(four, "127.0.0.2", 1);
	end = end_of("127.0.0.3", PORT, &length);
	must(!connect(connected, (void *)&end, length), "connect: %s", strerror(errno));
	must(send(connected, "x", 1, 0) == 1, "send: %s", strerror(errno));
	send_to(connected, "127.0.0.4", 2);
	send_to(six, "::1", 2);
	send_to(six, "::ffff:127.0.0.5", 2);
	/* Another socket is another sender. */
	send_to(other, "127.0.0.1", 2);
	/* One that answers, and nobody asks for whom: counted. */
	filtered = counters_of(sensor, IMMUNE_KIND_CONNECT, 0, UINT16_MAX, NULL).filtered;
	end = end_of("127.0.0.1", CHOSEN_PORT, &length);
	must(!bind(chosen, (void *)&end, length), "bind: %s", strerror(errno));
	send_to(chosen, "127.0.0.6", 2);
	must(counters_of(sensor, IMMUNE_KIND_CONNECT, 0, UINT16_MAX, NULL).filtered > filtered,
	     "an answer was not counted");
	send_to(other, LAST, 1);
	poll_until(sensor, note, &ends, &ends.done);
	must(ends.done && ends.count == sizeof(expected) / sizeof(expected[0]), "%u records",
	     ends.count);
	for (uint32_t i = 0; i < ends.count; i++)
		must(!strcmp(ends.text[i], expected[i]), "%u: %s", i, ends.text[i]);
	close(four);
	close(connected);
	close(six);
	close(chosen);
	close(other);
	immune_sensor_close(sensor);
}
