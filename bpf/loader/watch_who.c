// SPDX-License-Identifier: MIT
#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch_who.h"

#include "process.h"

/* /proc/PID/status up to the lines wanted here; they stand at its start. */
#define STATUS_BYTES 1024

/* The number that stands in a line's column (from 0) after its label; false when the label is
 * another one. */
static bool read_number(const char *line, const char *label, int column, uint32_t *value)
{
	size_t length = strlen(label);
	char *end = (char *)line + length;

	if (strncmp(line, label, length))
		return false;
	for (int i = 0; i <= column; i++)
		*value = strtoul(end, &end, 10);
	return true;
}

/* Opener's thread group, parent and ids, for a process that the map does not know. */
static uint32_t read_status(struct immune_record_header *header, pid_t tid)
{
	char text[STATUS_BYTES], path[32];
	const char *line = text;
	uint32_t group = tid;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return group;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return group;
	text[length] = 0;
	/* Bounded by STATUS_BYTES; Name comes first and has its newlines escaped by the kernel. */
	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (read_number(line, "Tgid:", 0, &group) ||
		    read_number(line, "PPid:", 0, &header->parent_pid) ||
		    read_number(line, "Uid:", 1, &header->uid))
			continue;
		/* The last one wanted. */
		if (read_number(line, "Gid:", 1, &header->gid))
			break;
	}
	return group;
}

/* A process that lives, else the last of that number that ended a moment ago. */
static bool find(const struct watch_maps *maps, uint32_t pid, struct immune_process *process)
{
	return !bpf_map_lookup_elem(maps->processes, &pid, process) ||
	       (maps->ended >= 0 && !bpf_map_lookup_elem(maps->ended, &pid, process));
}

uint64_t watch_who(struct immune_record_header *header, const struct watch_maps *maps, pid_t tid)
{
	struct immune_overflow overflow = { 0 };
	struct immune_process process;
	uint32_t pid = tid, zero = 0;
	bool known;

	header->tid = tid;
	/* A thread's own number is never a key: keys are leaders, and numbers are unique. */
	known = find(maps, pid, &process);
	if (!known) {
		pid = read_status(header, tid);
		known = pid != (uint32_t)tid &&
			find(maps, pid, &process);
	}
	header->pid = pid;
	if (!known) {
		header->flags |= IMMUNE_FLAG_UNRESOLVED;
		if (maps->overflowed >= 0)
			bpf_map_lookup_elem(maps->overflowed, &zero, &overflow);
		return overflow.roles;
	}
	header->start_time_ns = process.start_time_ns;
	header->parent_pid = process.parent_pid;
	header->parent_start_time_ns = process.parent_start_time_ns;
	header->uid = process.uid;
	header->gid = process.gid;
	header->cgroup_id = process.cgroup_id;
	header->session = process.session;
	header->role = process.role;
	header->flags |= process.flags & IMMUNE_FLAG_KERNEL_THREAD;
	return process.roles;
}
