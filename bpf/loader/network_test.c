// SPDX-License-Identifier: MIT
/* Connections and name look-ups on loopback, against what was really sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define SENT_BYTES 100000
#define ANSWERED_BYTES 7

struct wanted {
	uint32_t pid;
	uint16_t kind;
	uint16_t port; /* host order; 0 = any */
	int count;
	bool done;
	union {
		struct immune_record_header header;
		uint8_t bytes[IMMUNE_RECORD_BYTES_MAX];
	} found;
};

static void keep(const struct immune_record_header *record, void *state)
{
	struct wanted *wanted = state;
	const struct immune_connect_body *body = body_of(record);

	if (record->kind != wanted->kind || (wanted->pid && record->pid != wanted->pid))
		return;
	if (wanted->port && body->port != wanted->port)
		return;
	wanted->count++;
	wanted->done = true;
	memcpy(wanted->found.bytes, record, record->length);
}

static const struct immune_record_header *await(struct immune_sensor *sensor, struct wanted *wanted,
						uint16_t kind, uint32_t pid, uint16_t port)
{
	wanted->kind = kind;
	wanted->pid = pid;
	wanted->port = port;
	wanted->count = 0;
	wanted->done = false;
	poll_until(sensor, keep, wanted, &wanted->done);
	must(wanted->done, "no record of kind %u, pid %u, port %u", kind, pid, port);
	return &wanted->found.header;
}

static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(!bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 8) &&
	     !getsockname(fd, (struct sockaddr *)&address, &length), "cannot listen: %s",
	     strerror(errno));
	*port = ntohs(address.sin_port);
	return fd;
}

struct client {
	uint16_t port;
	bool mapped; /* by an IPv6 socket and ::ffff:127.0.0.1 */
};

/* Sends, half closes, reads to the end. */
static void be_client(void *argument)
{
	const struct client *client = argument;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(client->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(client->port) };
	int fd = socket(client->mapped ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char bytes[SENT_BYTES];
	int error;

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	error = client->mapped ? connect(fd, (struct sockaddr *)&six, sizeof(six))
			       : connect(fd, (struct sockaddr *)&four, sizeof(four));
	for (size_t sent = 0; !error && sent < sizeof(bytes);) {
		ssize_t part = send(fd, bytes, sizeof(bytes) - sent, 0);

		if (part <= 0)
			_exit(1);
		sent += (size_t)part;
	}
	shutdown(fd, SHUT_WR);
	while (!error && read(fd, bytes, sizeof(bytes)) > 0)
		;
	_exit(!!error);
}

/* Takes one connection, reads to its end, answers. */
static void serve_one(int listener)
{
	static char bytes[SENT_BYTES];
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	must(write(fd, bytes, ANSWERED_BYTES) == ANSWERED_BYTES, "cannot answer");
	close(fd);
}

static pid_t start_client(struct client *client)
{
	pid_t pid = fork();

	if (!pid)
		be_client(client);
	return pid;
}

static void is_flow(const struct immune_record_header *record, bool initiated, uint64_t sent,
		    uint64_t received)
{
	const struct immune_flow_body *flow = body_of(record);
	const uint8_t loopback[16] = { 127, 0, 0, 1 };

	must(!(record->flags & IMMUNE_FLAG_UNRESOLVED), "flags %x", record->flags);
	must(flow->initiated == initiated && flow->bytes_sent == sent &&
	     flow->bytes_received == received, "initiated %u, %llu sent, %llu received",
	     flow->initiated, (unsigned long long)flow->bytes_sent,
	     (unsigned long long)flow->bytes_received);
	must(flow->family == AF_INET && !memcmp(flow->address, loopback, 16) &&
	     !memcmp(flow->local_address, loopback, 16), "family %u", flow->family);
	must(flow->duration_ns > 0 && flow->duration_ns < 60000000000ull, "%llu ns",
	     (unsigned long long)flow->duration_ns);
}

/* The accept and both ends of one connection, in any order. */
struct connection {
	struct wanted accept, flow, served;
	bool done;
};

static void keep_connection(const struct immune_record_header *record, void *state)
{
	struct connection *connection = state;

	keep(record, &connection->accept);
	keep(record, &connection->flow);
	if (record->kind == IMMUNE_KIND_FLOW && record->pid == connection->served.pid) {
		const struct immune_flow_body *body = body_of(record);

		connection->served.port = body->port; /* the client's: any */
		keep(record, &connection->served);
	}
	connection->done = connection->accept.done && connection->flow.done &&
			   connection->served.done;
}

/* Listen, accept with the peer, and the end with the bytes to the last one. */
void test_flows(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct wanted wanted;
	static struct connection connection;
	const struct immune_listen_body *listened;
	const struct immune_accept_body *accepted;
	const uint8_t loopback[16] = { 127, 0, 0, 1 };
	struct client client = { 0 };
	uint16_t port;
	pid_t pid;
	int listener;

	policy_set(sensor, 0, EVERY_KIND);
	listener = listen_on_loopback(&port);
	listened = body_of(await(sensor, &wanted, IMMUNE_KIND_LISTEN, (uint32_t)getpid(), port));
	must(listened->family == AF_INET && !memcmp(listened->address, loopback, 16), "listen");
	client.port = port;
	for (int mapped = 0; mapped < 2; mapped++) {
		client.mapped = mapped;
		pid = start_client(&client);
		serve_one(listener);
		must(waitpid(pid, NULL, 0) == pid, "no client");
		connection = (struct connection){
			.accept = { (uint32_t)getpid(), IMMUNE_KIND_ACCEPT, port, 0, false, { { 0 } } },
			.served = { (uint32_t)getpid(), IMMUNE_KIND_FLOW, 0, 0, false, { { 0 } } },
			.flow = { (uint32_t)pid, IMMUNE_KIND_FLOW, port, 0, false, { { 0 } } },
		};
		poll_until(sensor, keep_connection, &connection, &connection.done);
		must(connection.done, "%d accepts, %d flows", connection.accept.count,
		     connection.flow.count);
		accepted = body_of(&connection.accept.found.header);
		must(accepted->family == AF_INET && !memcmp(accepted->peer_address, loopback, 16) &&
		     accepted->peer_port, "accept of family %u", accepted->family);
		is_flow(&connection.flow.found.header, true, SENT_BYTES, ANSWERED_BYTES);
		is_flow(&connection.served.found.header, false, ANSWERED_BYTES, SENT_BYTES);
	}
	close(listener);
	immune_sensor_close(sensor);
}

/* A policy for public peers alone: what loopback does is counted as filtered, twice a connection. */
void test_public_peers(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct wanted wanted = { .kind = IMMUNE_KIND_FLOW };
	struct immune_counters accepts, flows;
	struct client client = { 0 };
	int listener;
	pid_t pid;

	policy_set(sensor, IMMUNE_POLICY_PUBLIC_PEERS, EVERY_KIND);
	listener = listen_on_loopback(&client.port);
	for (int mapped = 0; mapped < 2; mapped++) {
		client.mapped = mapped;
		pid = start_client(&client);
		serve_one(listener);
		must(waitpid(pid, NULL, 0) == pid, "no client");
	}
	wanted.port = client.port;
	poll_out(sensor, keep, &wanted);
	must(!wanted.count, "%d flows", wanted.count);
	accepts = counters_of(sensor, IMMUNE_KIND_ACCEPT, IMMUNE_SOURCE_BULK, 0x7fff, NULL);
	flows = counters_of(sensor, IMMUNE_KIND_FLOW, IMMUNE_SOURCE_BULK, 0x7fff, NULL);
	must(accepts.filtered >= 2 && flows.filtered >= 3, "%llu accepts, %llu flows filtered",
	     (unsigned long long)accepts.filtered, (unsigned long long)flows.filtered);
	close(listener);
	immune_sensor_close(sensor);
}

/* A socket that listened before the sensor: whose it is is found among the files of all tasks. */
void test_old_listener(void)
{
	static struct wanted wanted;
	struct client client = { 0 };
	int listener = listen_on_loopback(&client.port);
	struct immune_sensor *sensor = sensor_with(0, 0);
	pid_t pid;

	policy_set(sensor, 0, EVERY_KIND);
	pid = start_client(&client);
	serve_one(listener);
	must(waitpid(pid, NULL, 0) == pid, "no client");
	await(sensor, &wanted, IMMUNE_KIND_ACCEPT, (uint32_t)getpid(), client.port);
	immune_sensor_close(sensor);
	close(listener);
}

/* A question for immune.test, type A. */
static const uint8_t question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				  "\x06IMMUNE\x04test\x00\x00\x01\x00\x01";
#define QUESTION_BYTES (sizeof(question) - 1)

/* Asks 127.0.0.53 for one name; what it is asked by comes from a child's own socket. */
struct ask {
	bool connected;
	bool stream;
};

static void be_asker(void *argument)
{
	const struct ask *ask = argument;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	int fd = socket(AF_INET, (ask->stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	uint8_t bytes[512] = { 0, QUESTION_BYTES };
	ssize_t sent;

	inet_pton(AF_INET, "127.0.0.77", &to.sin_addr);
	memcpy(bytes + 2, question, QUESTION_BYTES);
	if ((ask->connected || ask->stream) && connect(fd, (struct sockaddr *)&to, sizeof(to)))
		_exit(2);
	if (ask->stream)
		sent = send(fd, bytes, QUESTION_BYTES + 2, 0) - 2;
	else if (ask->connected)
		sent = send(fd, question, QUESTION_BYTES, 0);
	else
		sent = sendto(fd, question, QUESTION_BYTES, 0, (struct sockaddr *)&to, sizeof(to));
	if (sent != (ssize_t)QUESTION_BYTES)
		_exit(3);
	_exit(recv(fd, bytes, sizeof(bytes), 0) <= 0);
}

/* Answers what comes to the server's sockets: the question with its answer bit set. */
static void answer_one(int fd, bool stream)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	uint8_t bytes[512];
	int taken = stream ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : fd;
	ssize_t got = recvfrom(taken, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &length);

	must(got > (ssize_t)QUESTION_BYTES - 1, "question of %zd", got);
	bytes[stream ? 4 : 2] |= 0x80;
	bytes[stream ? 5 : 3] |= 3; /* NXDOMAIN */
	if (stream)
		must(send(taken, bytes, (size_t)got, 0) == got, "cannot answer");
	else
		must(sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&from, length) == got,
		     "cannot answer");
	if (stream)
		close(taken);
}

static int server_socket(bool stream)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53) };
	int one = 1;
	int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.77", &address.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(!bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	     (!stream || !listen(fd, 1)), "cannot serve names: %s", strerror(errno));
	return fd;
}

struct looked_up {
	uint32_t pid;
	int questions, answers;
	bool done;
};

static void look(const struct immune_record_header *record, void *state)
{
	struct looked_up *looked = state;
	const struct immune_dns_body *body = body_of(record);
	uint32_t length;

	if (record->kind != IMMUNE_KIND_DNS || record->pid != looked->pid)
		return;
	must(slot_is(record, IMMUNE_DNS_SLOT_NAME, "immune.test"), "another name");
	slot_of(record, IMMUNE_DNS_SLOT_MESSAGE, &length);
	must(length == QUESTION_BYTES && body->query_type == 1 && body->transaction == 0x1234 &&
	     body->port == 53 && body->address[0] == 127 && body->address[3] == 77,
	     "message of %u bytes, type %u", length, body->query_type);
	looked->questions += !body->is_answer;
	looked->answers += body->is_answer && body->response_code == 3;
	looked->done = looked->questions && looked->answers;
}

/* A question and its answer, once each and the asker's, by each way to send one. */
void test_dns(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const struct ask asks[] = { { false, false }, { true, false }, { true, true } };
	char line[16];

	policy_set(sensor, 0, EVERY_KIND);
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		int server = server_socket(asks[i].stream);
		struct looked_up looked = { 0 };
		int status;
		pid_t pid = fork();

		if (!pid)
			be_asker((void *)&asks[i]);
		answer_one(server, asks[i].stream);
		must(waitpid(pid, &status, 0) == pid && !status, "asker %zu: %x", i, status);
		close(server);
		snprintf(line, sizeof(line), "way %zu", i);
		looked.pid = (uint32_t)pid;
		poll_until(sensor, look, &looked, &looked.done);
		poll_out(sensor, look, &looked);
		must(looked.questions == 1 && looked.answers == 1, "%s: %d questions, %d answers",
		     line, looked.questions, looked.answers);
	}
	immune_sensor_close(sensor);
}

/* A shell whose streams are a connection, one whose streams are a local socket, one as ever. */
void test_streams(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct wanted wanted;
	char *const arguments[] = { "sh", "-c", ":", NULL };
	uint16_t port;
	int listener = listen_on_loopback(&port);
	const struct immune_exec_body *body;
	pid_t pid;

	for (int way = 0; way < 3; way++) {
		int pair[2];

		must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "no pair");
		pid = fork();
		if (!pid) {
			struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
			if (way == 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)))
				_exit(1);
			if (way < 2) {
				dup2(way ? pair[0] : fd, 0);
				dup2(way ? pair[0] : fd, 2);
			}
			execv("/bin/sh", arguments);
			_exit(1);
		}
		must(waitpid(pid, NULL, 0) == pid, "no shell");
		close(pair[0]);
		close(pair[1]);
		body = body_of(await(sensor, &wanted, IMMUNE_KIND_EXEC, (uint32_t)pid, 0));
		if (way)
			must(!body->stdio_sockets && !body->stdio_family, "way %d: %x", way,
			     body->stdio_sockets);
		else
			must(body->stdio_sockets == 5 && body->stdio_family == AF_INET &&
			     body->stdio_port == port && body->stdio_address[0] == 127,
			     "%x, port %u", body->stdio_sockets, body->stdio_port);
		must(body->mount_namespace && body->pid_namespace && body->network_namespace &&
		     body->user_namespace, "no namespaces");
	}
	close(listener);
	immune_sensor_close(sensor);
}
