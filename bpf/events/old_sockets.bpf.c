// SPDX-License-Identifier: MIT
/* Sockets that are older than the hook on their states: run once, when that one is attached. */
#include "connection.h"
#include "descriptor.h"

/* Of include/net/sock.h: the program chose the port. Never of a socket that was listened for. */
#define IMMUNE_SOCK_BINDPORT_LOCK 8

/*
 * Whether a connection was asked for from here: its port is one that the kernel chose for a connect,
 * or the socket was bound to it. Of one that was listened for the port is that of who listened.
 */
static __always_inline bool was_made_here(struct sock *socket)
{
	const struct inet_connection_sock *connection = (const void *)socket;
	struct inet_bind_bucket *port = BPF_CORE_READ(connection, icsk_bind_hash);

	return BPF_CORE_READ_BITFIELD_PROBED(socket, sk_userlocks) & IMMUNE_SOCK_BINDPORT_LOCK ||
	       (port && BPF_CORE_READ(port, fastreuse) < 0);
}

SEC("iter/task_file")
int on_sockets(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct immune_owner owner = {};
	struct sock *socket;
	__u8 state;

	if (!task || !file)
		return 0;
	socket = file_socket(file);
	if (!socket || BPF_CORE_READ(socket, sk_protocol) != IMMUNE_PROTOCOL_TCP)
		return 0;
	state = BPF_CORE_READ(socket, __sk_common.skc_state);
	owner_fill(&owner, task, UNTYPED);
	if (state == STATE_LISTEN) {
		owner_put(&listeners, socket, &owner, BPF_NOEXIST);
	} else if (state == STATE_ESTABLISHED) {
		owner.state = was_made_here(socket) ? IMMUNE_CONNECTION_MADE
						    : IMMUNE_CONNECTION_ACCEPTED;
		owner_put(&connections, socket, &owner, BPF_NOEXIST);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
