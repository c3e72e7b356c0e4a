// SPDX-License-Identifier: MIT
/* Sockets that are older than the hook on their states: run once, when that one is attached. */
#include "connection.h"
#include "descriptor.h"

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
		struct immune_listener_key key = listener_key(socket, UNTYPED);

		owner.socket = (__u64)socket;
		bpf_map_update_elem(&listeners, &key, &owner, BPF_NOEXIST);
	} else if (state == STATE_ESTABLISHED) {
		struct immune_listener_key key = listener_key(socket, UNTYPED);

		owner.state = bpf_map_lookup_elem(&listeners, &key) ? IMMUNE_CONNECTION_ACCEPTED
								    : IMMUNE_CONNECTION_MADE;
		connection_put(socket, &owner, BPF_NOEXIST);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
