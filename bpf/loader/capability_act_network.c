// SPDX-License-Identifier: MIT
/* Acts of the self-test whose records need sockets or another process. */
#include "capability_act.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/types.h>

#include "immune_record.h"

#define DNS_PORT 53
/* Port of the flow act's listener on this thread, as the kernel chose it. */
static __thread uint16_t flow_port;

/* A question of one label, which no server has: immune-self-test (RFC 1035, 4.1). */
static const uint8_t question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x10"
				  "immune-self-test\x00\x00\x01\x00\x01";
static const char question_name[] = "immune-self-test";

static int flow_perform(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = 0, server = -1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || client < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&at, &length) ||
	    connect(client, (struct sockaddr *)&at, sizeof(at)))
		error = -errno;
	if (!error)
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	flow_port = ntohs(at.sin_port);
	if (client >= 0)
		close(client);
	if (server >= 0)
		close(server);
	if (listener >= 0)
		close(listener);
	return error;
}

static bool flow_seen(const uint8_t *record, const struct immune_record_header *header)
{
	struct immune_flow_body body;

	if (header->kind != IMMUNE_KIND_FLOW)
		return false;
	memcpy(&body, record + header->header_length, sizeof(body));
	return body.port == flow_port || body.local_port == flow_port;
}

/* To an address of the loopback where nobody listens. */
static int dns_perform(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	to.sin_addr.s_addr = htonl(0x7ffe0035);
	if (fd < 0)
		return -errno;
	if (sendto(fd, question, sizeof(question) - 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		error = -errno;
	close(fd);
	return error;
}

static bool dns_seen(const uint8_t *record, const struct immune_record_header *header)
{
	return header->kind == IMMUNE_KIND_DNS &&
	       memmem(record, header->length, question_name, sizeof(question_name) - 1);
}

/* A child sends this very process a signal that does nothing to one that runs. */
static int signal_perform(void)
{
	pid_t own = getpid(), child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		syscall(SYS_kill, own, SIGCONT);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static bool signal_seen(const uint8_t *record, const struct immune_record_header *header)
{
	struct immune_signal_body body;

	if (header->kind != IMMUNE_KIND_SIGNAL)
		return false;
	memcpy(&body, record + header->header_length, sizeof(body));
	return body.signal == SIGCONT && body.target_pid == (uint32_t)getpid();
}

const struct act act_flow = { flow_perform, flow_seen };
const struct act act_dns = { dns_perform, dns_seen };
const struct act act_signal = { signal_perform, signal_seen };
