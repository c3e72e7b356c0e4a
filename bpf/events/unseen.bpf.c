// SPDX-License-Identifier: MIT
/*
 * Sockets whose connects and datagrams meet no hook (unseen.h) are told when they are made, as connects
 * to nobody knows whom: address and port are 0. Attached while connects are wanted. Always allow.
 */
#include "need.h"
#include "unseen.h"

struct unseen_record {
	struct immune_record_header header;
	struct immune_connect_body body;
};

SEC("cgroup/sock_create")
int on_socket(struct bpf_sock *context)
{
	struct immune_tally *tally;
	struct unseen_record record = {};
	struct endpoint end = { .address = record.body.address };

	if (!socket_unseen(context))
		return IMMUNE_ALLOW;
	tally = tally_of(IMMUNE_KIND_CONNECT);
	if (!kind_wanted(tally, IMMUNE_KIND_CONNECT))
		return IMMUNE_ALLOW;
	header_fill_current(&record.header, IMMUNE_KIND_CONNECT);
	record.header.length = sizeof(record);
	record.header.body_length = sizeof(record.body);
	record.header.flags |= IMMUNE_FLAG_UNRESOLVED;
	record.body.family = end.family = context->family;
	record.body.protocol = context->protocol;
	record.body.socket_type = context->type;
	network_send(&record.header, sizeof(record), tally, &end, true);
	return IMMUNE_ALLOW;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
