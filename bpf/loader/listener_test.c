// SPDX-License-Identifier: MIT
/* Whose an accepted connection is when others listen on its port, or when no room is left to know. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "control.h"
#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define SHARED_CONNECTIONS 24
/* TCP Fast Open for who asks and who listens, both without a cookie, for all who listen. */
#define FAST_OPEN "1543"

/* Where somebody listens. */
struct place {
	const char *address; /* IPv4 or IPv6 */
	bool dual; /* [::] for IPv4 too */
	bool shared; /* SO_REUSEPORT */
};

/* Accepts and flows of one port: of one process, and of whom else. */
struct heard {
	uint16_t port;
	uint32_t pid;
	int accepts, others, flows, unresolved, initiated;
	bool done;
	int wanted; /* accepts and flows that are waited for */
};

static void hear(const struct immune_record_header *record, void *state)
{
	struct heard *heard = state;
	const struct immune_flow_body *flow = body_of(record);
	const struct immune_accept_body *accept = body_of(record);

	if (record->kind == IMMUNE_KIND_ACCEPT && accept->port == heard->port) {
		heard->accepts += record->pid == heard->pid;
		heard->others += record->pid != heard->pid;
	} else if (record->kind == IMMUNE_KIND_FLOW && flow->local_port == heard->port) {
		heard->flows += record->pid == heard->pid;
		heard->others += record->pid != heard->pid;
	} else if (record->kind == IMMUNE_KIND_FLOW && flow->port == heard->port) {
		heard->initiated += flow->initiated;
		return;
	} else {
		return;
	}
	heard->unresolved += !!(record->flags & IMMUNE_FLAG_UNRESOLVED);
	heard->done = heard->accepts + heard->flows + heard->others >= heard->wanted;
}

static socklen_t name_of(const char *address, uint16_t port, struct sockaddr_storage *name)
{
	struct sockaddr_in *four = (void *)name;
	struct sockaddr_in6 *six = (void *)name;

	memset(name, 0, sizeof(*name));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	must(inet_pton(AF_INET6, address, &six->sin6_addr) == 1, "address %s", address);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof(*six);
}

/* Listens there; `port` 0 becomes the one that was given. */
static int listen_at(const struct place *place, uint16_t *port)
{
	struct sockaddr_storage name;
	socklen_t length = name_of(place->address, *port, &name);
	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int only = !place->dual, shared = place->shared;

	if (name.ss_family == AF_INET6)
		must(!setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), "v6only");
	must(!setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof(shared)), "reuseport");
	must(!bind(fd, (struct sockaddr *)&name, length) && !listen(fd, SHARED_CONNECTIONS) &&
	     !getsockname(fd, (struct sockaddr *)&name, &length), "cannot listen at %s port %u: %s",
	     place->address, *port, strerror(errno));
	*port = ntohs(((struct sockaddr_in *)&name)->sin_port);
	return fd;
}

static int connect_to(const char *address, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t length = name_of(address, port, &name);
	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(!connect(fd, (struct sockaddr *)&name, length), "cannot connect to %s port %u: %s",
	     address, port, strerror(errno));
	return fd;
}

/* One connection from its start to its end, which comes from who asked. */
static void serve(int listener, uint16_t port)
{
	int client = connect_to("127.0.0.1", port), taken;
	char byte;

	fcntl(listener, F_SETFL, 0);
	taken = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(taken >= 0, "cannot accept: %s", strerror(errno));
	close(client);
	must(!read(taken, &byte, 1), "no end");
	close(taken);
}

/* Another process that listens until its pipe ends. */
struct other {
	pid_t pid;
	int until;
};

static struct other other_at(const struct place *place, uint16_t port)
{
	struct other other;
	int until[2], ready[2];
	char byte;

	must(!pipe2(until, O_CLOEXEC) && !pipe2(ready, O_CLOEXEC), "no pipes");
	other.pid = fork();
	if (!other.pid) {
		close(until[1]);
		listen_at(place, &port);
		must(write(ready[1], "x", 1) == 1 && !read(until[0], &byte, 1), "pipe");
		_exit(0);
	}
	close(until[0]);
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1, "the other does not listen");
	close(ready[0]);
	other.until = until[1];
	return other;
}

static void other_end(const struct other *other)
{
	close(other->until);
	must(waitpid(other->pid, NULL, 0) == other->pid, "no other");
}

static void is_served(struct immune_sensor *sensor, const struct place *place, int listener,
		      uint16_t port)
{
	struct heard heard = { .port = port, .pid = (uint32_t)getpid(), .wanted = 2 };

	serve(listener, port);
	poll_until(sensor, hear, &heard, &heard.done);
	must(heard.accepts == 1 && heard.flows == 1 && !heard.others && !heard.unresolved,
	     "%s: %d accepts, %d flows, %d of others", place->address, heard.accepts, heard.flows,
	     heard.others);
}

/* Who shares an address and port: each has his own, to the last one. */
static void is_shared(struct immune_sensor *sensor, int listener, uint16_t port)
{
	const struct place place = { .address = "127.0.0.1", .shared = true };
	struct other other = other_at(&place, port);
	struct heard heard = { .port = port, .pid = (uint32_t)getpid() };
	int clients[SHARED_CONNECTIONS], own = 0;

	heard.wanted = SHARED_CONNECTIONS;
	for (int i = 0; i < SHARED_CONNECTIONS; i++)
		clients[i] = connect_to("127.0.0.1", port);
	poll_until(sensor, hear, &heard, &heard.done);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (int taken; (taken = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; own++)
		close(taken);
	must(own && own < SHARED_CONNECTIONS, "%d of %d", own, SHARED_CONNECTIONS);
	must(heard.accepts == own && heard.others == SHARED_CONNECTIONS - own && !heard.unresolved,
	     "%d accepts, %d of the other, not %d and %d", heard.accepts, heard.others, own,
	     SHARED_CONNECTIONS - own);
	for (int i = 0; i < SHARED_CONNECTIONS; i++)
		close(clients[i]);
	other_end(&other);
	poll_out(sensor, NULL, NULL);
}

/* Somebody else who listens on the port, or did, takes no accept and no flow away. */
void test_listeners(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const struct place own = { .address = "0.0.0.0", .shared = true };
	const struct place loopback = { .address = "127.0.0.1", .shared = true };
	const struct place both = { .address = "::", .dual = true };
	const struct place others[] = { { .address = "::" }, { .address = "127.0.0.2" },
					{ .address = "127.0.0.1", .shared = true } };

	policy_set(sensor, 0, EVERY_KIND);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct place *place = i == 0 ? &own : &loopback;
		uint16_t port = 0;
		int listener = listen_at(place, &port);
		struct other other = other_at(&others[i], port);

		if (!others[i].shared)
			is_served(sensor, place, listener, port);
		other_end(&other);
		is_served(sensor, place, listener, port);
		if (others[i].shared)
			is_shared(sensor, listener, port);
		close(listener);
	}
	{
		uint16_t port = 0;
		int listener = listen_at(&both, &port);

		is_served(sensor, &both, listener, port);
		close(listener);
	}
	immune_sensor_close(sensor);
}

/* A network namespace of its own, whose loopback is up and Fast Open too. */
static void be_apart(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int knob, plain;

	must(!unshare(CLONE_NEWNET), "no network namespace: %s", strerror(errno));
	plain = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	knob = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY | O_CLOEXEC);
	must(!ioctl(plain, SIOCSIFFLAGS, &loopback) &&
	     write(knob, FAST_OPEN, strlen(FAST_OPEN)) == (ssize_t)strlen(FAST_OPEN),
	     "no Fast Open: %s", strerror(errno));
	close(plain);
	close(knob);
}

/* Asks with data in the first packet; what comes back does not reach a deaf one. */
static int connect_fast(const struct place *place, uint16_t port, bool deaf)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog filter = { .len = 1, .filter = &nothing };
	struct sockaddr_storage name;
	socklen_t length = name_of(place->address, port, &name);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(!deaf || !setsockopt(client, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
	     "not deaf: %s", strerror(errno));
	must(sendto(client, "fast", 4, MSG_FASTOPEN | MSG_DONTWAIT, (struct sockaddr *)&name,
		    length) == 4,
	     "cannot send: %s", strerror(errno));
	return client;
}

static void be_fast(void *argument)
{
	const struct place place = { .address = "127.0.0.1" };
	uint16_t port = *(uint16_t *)argument;
	struct tcp_info info;
	socklen_t info_length = sizeof(info);
	int listener, client, taken;
	char byte;

	be_apart();
	listener = listen_at(&place, &port);
	client = connect_fast(&place, port, false);
	fcntl(listener, F_SETFL, 0);
	taken = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(!getsockopt(taken, IPPROTO_TCP, TCP_INFO, &info, &info_length) &&
	     info.tcpi_options & TCPI_OPT_SYN_DATA, "no data came with the first packet");
	close(client);
	while (read(taken, &byte, 1) > 0)
		;
	_exit(0);
}

/* What a program does with a connection whose peer never confirms it. */
struct hasty {
	uint16_t port;
	bool takes, reads;
};

static void be_hasty(void *argument)
{
	const struct place place = { .address = "127.0.0.1" };
	struct hasty *hasty = argument;
	struct pollfd came = { .events = POLLIN };
	int client, taken;
	char bytes[4];

	be_apart();
	came.fd = listen_at(&place, &hasty->port);
	client = connect_fast(&place, hasty->port, true);
	must(poll(&came, 1, PATIENCE_MS) == 1, "nobody came");
	if (hasty->takes) {
		taken = accept4(came.fd, NULL, NULL, SOCK_CLOEXEC);
		must(taken >= 0, "cannot accept: %s", strerror(errno));
		must(!hasty->reads || (read(taken, bytes, 4) == 4 && write(taken, "done", 4) == 4),
		     "no data");
		close(taken);
	}
	close(came.fd);
	close(client);
	_exit(0);
}

/* A connection that brings data at once is its listener's, too. */
void test_fast_open(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	uint16_t port = 7443;
	struct heard heard = { .port = port, .wanted = 2 };
	int status;

	policy_set(sensor, 0, EVERY_KIND);
	heard.pid = (uint32_t)child_of(be_fast, &port, &status);
	must(!status, "child: %x", status);
	poll_until(sensor, hear, &heard, &heard.done);
	must(heard.accepts == 1 && heard.flows == 1 && !heard.unresolved,
	     "%d accepts, %d flows, %d of others", heard.accepts, heard.flows, heard.others);
	immune_sensor_close(sensor);
}

/* One that a program took and ended before it was confirmed is told; what nobody took is none. */
void test_fast_end(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct hasty hasty[] = { { .port = 7444 },
				 { .port = 7445, .takes = true },
				 { .port = 7446, .takes = true, .reads = true } };

	policy_set(sensor, 0, EVERY_KIND);
	for (size_t i = 0; i < sizeof(hasty) / sizeof(hasty[0]); i++) {
		struct heard heard = { .port = hasty[i].port, .wanted = 2 };
		int status, wanted = hasty[i].takes;

		heard.pid = (uint32_t)child_of(be_hasty, &hasty[i], &status);
		must(!status, "child: %x", status);
		if (wanted)
			poll_until(sensor, hear, &heard, &heard.done);
		poll_out(sensor, hear, &heard);
		must(heard.accepts == wanted && heard.flows == wanted && !heard.others &&
		     !heard.initiated && !heard.unresolved,
		     "%zu: %d accepts, %d flows, %d of others", i, heard.accepts, heard.flows,
		     heard.others);
	}
	immune_sensor_close(sensor);
}

/* The sensor's map of a name, by its descriptor in this process; its size of a value. */
static int map_named(const char *name, uint32_t *value_bytes, uint32_t *entries)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct bpf_map_info info = { 0 };
		union bpf_attr get = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info),
						 .info = (uint64_t)&info } };

		if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &get, sizeof(get)) ||
		    strcmp(info.name, name))
			continue;
		*value_bytes = info.value_size;
		*entries = info.max_entries;
		return fd;
	}
	must(false, "no map \"%s\"", name);
	return -1;
}

static void map_fill(const char *name)
{
	uint32_t value_bytes = 0, entries = 0;
	int fd = map_named(name, &value_bytes, &entries);
	uint8_t value[256] = { 0 };

	must(value_bytes <= sizeof(value), "values of %u bytes", value_bytes);
	for (uint64_t key = 1; key <= entries; key++) {
		union bpf_attr put = { .map_fd = (uint32_t)fd, .key = (uint64_t)&key,
				       .value = (uint64_t)value };

		if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &put, sizeof(put)))
			must(errno == E2BIG || errno == ENOSPC, "%s", strerror(errno));
	}
}

/* What did not fit into the maps of connections. */
static uint64_t turned_away(struct immune_sensor *sensor)
{
	static struct immune_stats_row rows[ROWS_MAX];
	int64_t count = immune_sensor_stats(sensor, rows, ROWS_MAX);
	uint64_t sum = 0;

	for (int64_t i = 0; i < count; i++)
		if (!rows[i].kind && rows[i].source >= IMMUNE_SOURCE_BULK &&
		    rows[i].source < 2 * IMMUNE_SOURCE_BULK)
			sum += rows[i].counters.ring_full;
	return sum;
}

/* Full maps are counted, and what is told without them is flagged: nothing ends in silence. */
void test_full_maps(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const struct place place = { .address = "127.0.0.1" };
	struct heard heard = { .wanted = 2 };
	uint64_t before;
	int listener;

	policy_set(sensor, 0, EVERY_KIND);
	map_fill("listeners");
	before = turned_away(sensor);
	listener = listen_at(&place, &heard.port);
	must(turned_away(sensor) > before, "a full map of who listens is not counted");
	serve(listener, heard.port);
	poll_until(sensor, hear, &heard, &heard.done);
	must(heard.accepts == 1 && heard.flows == 1 && heard.unresolved == 2,
	     "%d accepts, %d flows, %d unresolved", heard.accepts, heard.flows, heard.unresolved);
	close(listener);

	heard = (struct heard){ .wanted = 2 };
	map_fill("connections");
	before = turned_away(sensor);
	listener = listen_at(&place, &heard.port);
	serve(listener, heard.port);
	poll_until(sensor, hear, &heard, &heard.done);
	must(turned_away(sensor) >= before + 2, "a full map of connections is not counted");
	must(heard.accepts == 1 && heard.flows == 1 && heard.unresolved == 2,
	     "%d accepts, %d flows, %d unresolved", heard.accepts, heard.flows, heard.unresolved);
	close(listener);
	immune_sensor_close(sensor);
}

/* Connections that are older than the sensor: who asked for them, and who was asked. */
void test_old_connections(void)
{
	const struct place place = { .address = "127.0.0.1" };
	struct heard heard = { .pid = (uint32_t)getpid(), .wanted = 1 };
	int listener = listen_at(&place, &heard.port);
	int client = connect_to("127.0.0.1", heard.port), taken;
	struct immune_sensor *sensor;
	char byte;

	fcntl(listener, F_SETFL, 0);
	taken = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	sensor = sensor_with(0, 0);
	policy_set(sensor, 0, EVERY_KIND);
	close(client);
	must(!read(taken, &byte, 1), "no end");
	close(taken);
	poll_until(sensor, hear, &heard, &heard.done);
	poll_out(sensor, hear, &heard);
	must(heard.flows == 1 && !heard.others && heard.initiated == 1,
	     "%d flows of who was asked, %d who asked", heard.flows, heard.initiated);
	immune_sensor_close(sensor);
}

/* What the map had of this process's connections while they lived. */
struct left {
	uint64_t keys[2 * SHARED_CONNECTIONS];
	struct immune_owner owners[2 * SHARED_CONNECTIONS];
	uint32_t count;
};

static void left_fill(struct left *left, int map)
{
	uint64_t key, *before = NULL;
	struct immune_owner owner;

	left->count = 0;
	while (left->count < 2 * SHARED_CONNECTIONS && !bpf_map_get_next_key(map, before, &key)) {
		before = &key;
		if (bpf_map_lookup_elem(map, &key, &owner) || owner.pid != (uint32_t)getpid())
			continue;
		left->keys[left->count] = key;
		left->owners[left->count++] = owner;
	}
}

/* Puts them back under another process, as if their ends had been missed; some without an answer. */
static void left_put_back(const struct left *left, int map)
{
	for (uint32_t i = 0; i < left->count; i++) {
		struct immune_owner owner = left->owners[i];

		owner.pid = (uint32_t)getppid();
		owner.state = i % 2 ? IMMUNE_CONNECTION_MADE : IMMUNE_CONNECTION_ASKED;
		must(!bpf_map_update_elem(map, &left->keys[i], &owner, BPF_NOEXIST), "%s",
		     strerror(errno));
	}
}

/* How many sockets that came have the address of an older one. */
static int left_again(const struct left *left, const struct left *before)
{
	int count = 0;

	for (uint32_t i = 0; i < left->count; i++)
		for (uint32_t j = 0; j < before->count; j++)
			count += left->owners[i].state == IMMUNE_CONNECTION_ACCEPTED &&
				 left->keys[i] == before->keys[j];
	return count;
}

static void serve_many(struct immune_sensor *sensor, int listener, uint16_t port, struct left *left,
		       int map)
{
	struct heard heard = { .port = port, .pid = (uint32_t)getpid(),
			       .wanted = 2 * SHARED_CONNECTIONS };
	int clients[SHARED_CONNECTIONS], taken[SHARED_CONNECTIONS];
	char byte;

	for (int i = 0; i < SHARED_CONNECTIONS; i++) {
		clients[i] = connect_to("127.0.0.1", port);
		taken[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		must(taken[i] >= 0, "cannot accept: %s", strerror(errno));
	}
	left_fill(left, map);
	for (int i = 0; i < SHARED_CONNECTIONS; i++) {
		close(clients[i]);
		must(!read(taken[i], &byte, 1), "no end");
		close(taken[i]);
	}
	poll_until(sensor, hear, &heard, &heard.done);
	poll_out(sensor, hear, &heard);
	must(heard.accepts == SHARED_CONNECTIONS && heard.flows == SHARED_CONNECTIONS &&
	     heard.initiated == SHARED_CONNECTIONS && !heard.others && !heard.unresolved,
	     "%d accepts, %d flows, %d who asked, %d of others", heard.accepts, heard.flows,
	     heard.initiated, heard.others);
}

/* A connection that came at the address of a socket whose end was missed is its listener's. */
void test_stale_connections(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const struct place place = { .address = "127.0.0.1" };
	double end = seconds_now() + PATIENCE_MS * 1e-3;
	struct left before, now;
	uint32_t bytes, entries;
	uint16_t port = 0;
	int map, listener, again = 0;

	policy_set(sensor, 0, EVERY_KIND);
	map = map_named("connections", &bytes, &entries);
	listener = listen_at(&place, &port);
	fcntl(listener, F_SETFL, 0);
	serve_many(sensor, listener, port, &now, map);
	/* The kernel gives addresses of sockets out again, soon and mostly, but as it likes. */
	while (!again && seconds_now() < end) {
		before = now;
		left_put_back(&before, map);
		serve_many(sensor, listener, port, &now, map);
		again = left_again(&now, &before);
	}
	must(again, "no address was given out again");
	close(listener);
	immune_sensor_close(sensor);
}
