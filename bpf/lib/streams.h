/* SPDX-License-Identifier: MIT */
/* Standard streams that are network sockets: a program that talks to the one behind it. */
#ifndef IMMUNE_STREAMS_H
#define IMMUNE_STREAMS_H

#include "descriptor.h"
#include "socket.h"

#define IMMUNE_STDIO_DESCRIPTORS 3

/* The IP socket behind a file, or NULL. */
static __always_inline struct sock *file_ip_socket(struct file *file)
{
	struct sock *socket = file ? file_socket(file) : NULL;
	__u16 family = socket ? BPF_CORE_READ(socket, __sk_common.skc_family) : 0;

	return family == IMMUNE_FAMILY_IPV4 || family == IMMUNE_FAMILY_IPV6 ? socket : NULL;
}

static __always_inline void stdio_fill(struct immune_exec_body *body, struct task_struct *task)
{
	struct file *files[IMMUNE_STDIO_DESCRIPTORS] = {};
	struct fdtable *table = task->files->fdt;
	struct sock *socket = NULL, *first = NULL;
	__u32 flags = 0;

	/* A table has room for more than three at any time. */
	bpf_probe_read_kernel(files, sizeof(files), table->fd);
	/* Bounded by the standard descriptors. */
#pragma unroll
	for (__u32 i = 0; i < IMMUNE_STDIO_DESCRIPTORS; i++) {
		/* Most often all three are one. */
		if (!i || files[i] != files[i - 1])
			socket = file_ip_socket(files[i]);
		if (!socket)
			continue;
		body->stdio_sockets |= 1u << i;
		if (!first)
			first = socket;
	}
	if (!first)
		return;
	body->stdio_family = socket_address(first, UNTYPED, true, body->stdio_address, &flags);
	body->stdio_port = socket_peer_port(first, UNTYPED);
}

#endif
