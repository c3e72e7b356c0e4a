// SPDX-License-Identifier: MIT
/* Packets with several DNS messages in: the first ones are told by name, the others counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)
/* Nobody else asks there. */
#define SERVER "127.99.98.96"
/* Told of a packet, as in bpf/events/dns.bpf.c. */
#define TOLD_MAX 8
#define DATAGRAMS 20
#define STREAMED 3
#define MESSAGE_BYTES (sizeof(message) - 1)

/* A question for one more letter of immune.test, type A, behind its length. */
static const uint8_t message[] = "\x00\x1f\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				 "\x01?\x06immune\x04test\x00\x00\x01\x00\x01";
/* Offset of its letter. */
#define LETTER 15

_Static_assert(MESSAGE_BYTES == 2 + 0x1f, "the length before it");

struct names {
	char letters[32];
	uint32_t count;
	char last;
	bool done;
};

static void note(const struct immune_record_header *record, void *state)
{
	struct names *names = state;
	const uint8_t *name;
	uint32_t length;

	if (record->kind != IMMUNE_KIND_DNS || record->pid != (uint32_t)getpid())
		return;
	name = slot_of(record, IMMUNE_DNS_SLOT_NAME, &length);
	must(length == 13 && !memcmp(name + 1, ".immune.test", 12), "name of %u bytes", length);
	slot_of(record, IMMUNE_DNS_SLOT_MESSAGE, &length);
	must(length == MESSAGE_BYTES - 2, "message of %u bytes", length);
	must(names->count < sizeof(names->letters), "too many records");
	names->letters[names->count++] = (char)name[0];
	names->done = (char)name[0] == names->last;
}

/* Questions for letters from `first` on, each behind its length or alone; bytes. */
static size_t questions(uint8_t *out, char first, int count, bool stream)
{
	size_t from = stream ? 0 : 2, length = 0;

	for (int i = 0; i < count; i++) {
		memcpy(out + length, message + from, MESSAGE_BYTES - from);
		out[length + LETTER - from] = (uint8_t)(first + i);
		length += MESSAGE_BYTES - from;
	}
	return length;
}

static int socket_to(int type, bool server)
{
	struct sockaddr_in end = { .sin_family = AF_INET, .sin_port = htons(53) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int one = 1;

	inet_pton(AF_INET, SERVER, &end.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(!(server ? bind : connect)(fd, (struct sockaddr *)&end, sizeof(end)) &&
	     (!server || type != SOCK_STREAM || !listen(fd, 1)), "socket: %s", strerror(errno));
	return fd;
}

static struct immune_counters counted(struct immune_sensor *sensor)
{
	return counters_of(sensor, IMMUNE_KIND_DNS, 0, UINT16_MAX, NULL);
}

static void send_all(int fd, const uint8_t *bytes, size_t length)
{
	must(send(fd, bytes, length, 0) == (ssize_t)length, "send: %s", strerror(errno));
}

/* One send that the kernel cuts into a datagram a question. */
static void send_segmented(struct immune_sensor *sensor)
{
	struct immune_counters before = counted(sensor), after;
	int server = socket_to(SOCK_DGRAM, true), fd = socket_to(SOCK_DGRAM, false);
	uint8_t bytes[DATAGRAMS * sizeof(message)];
	struct names names = { .last = 'a' + TOLD_MAX - 1 };
	int each = MESSAGE_BYTES - 2;

	must(!setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &each, sizeof(each)), "no segments");
	send_all(fd, bytes, questions(bytes, 'a', DATAGRAMS, false));
	for (int i = 0; i < DATAGRAMS; i++)
		must(recv(server, bytes, sizeof(bytes), 0) == each, "another datagram");
	poll_until(sensor, note, &names, &names.done);
	poll_out(sensor, note, &names);
	must(names.count == TOLD_MAX && !memcmp(names.letters, "abcdefgh", TOLD_MAX), "%.*s",
	     (int)names.count, names.letters);
	after = counted(sensor);
	must(after.seen - before.seen >= DATAGRAMS &&
	     after.unreadable - before.unreadable >= DATAGRAMS - TOLD_MAX, "%llu seen, %llu left",
	     (unsigned long long)(after.seen - before.seen),
	     (unsigned long long)(after.unreadable - before.unreadable));
	close(server);
	close(fd);
}

/* Several questions in a segment of a stream, the last of which goes on in the next one. */
static void send_streamed(struct immune_sensor *sensor)
{
	struct immune_counters before = counted(sensor), after;
	int server = socket_to(SOCK_STREAM, true), fd = socket_to(SOCK_STREAM, false);
	uint8_t bytes[(STREAMED + 1) * sizeof(message)];
	struct names names = { .last = 'k' + STREAMED };
	size_t length = questions(bytes, 'k', STREAMED + 1, true);

	send_all(fd, bytes, length - 1);
	send_all(fd, bytes + length - 1, 1);
	/* One more, whole again. */
	send_all(fd, bytes, questions(bytes, names.last, 1, true));
	poll_until(sensor, note, &names, &names.done);
	poll_out(sensor, note, &names);
	must(names.count == STREAMED + 1 && !memcmp(names.letters, "klmn", STREAMED + 1), "%.*s",
	     (int)names.count, names.letters);
	after = counted(sensor);
	/* The one that was cut, and what came of it behind. */
	must(after.seen - before.seen >= STREAMED + 2 && after.unreadable > before.unreadable,
	     "%llu seen, %llu left", (unsigned long long)(after.seen - before.seen),
	     (unsigned long long)(after.unreadable - before.unreadable));
	close(server);
	close(fd);
}

void test_dns_many(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);

	policy_set(sensor, 0, EVERY_KIND);
	send_segmented(sensor);
	send_streamed(sensor);
	immune_sensor_close(sensor);
}
