// SPDX-License-Identifier: MIT
/* Acts of the self-test that are system calls of a child: what it does, and whom it reaches into. */
#include "capability_act.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sensor.h"

int act_calls_prepare(struct immune_sensor *sensor)
{
	if (sensor_has_calls(sensor))
		return sensor_want_calls(sensor, true);
	immune_fail("This kernel's programs have no callbacks (Linux 5.13): its program is not loaded");
	return -EOPNOTSUPP;
}

/* A child takes names of its own for the host and the domain, and ends. */
static int act_perform(void)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		syscall(SYS_unshare, CLONE_NEWUTS);
		_exit(0);
	}
	return act_reap(child);
}

static bool act_seen(const uint8_t *record, const struct immune_record_header *header)
{
	struct immune_act_body body;

	if (header->kind != IMMUNE_KIND_ACT)
		return false;
	memcpy(&body, record + header->header_length, sizeof(body));
	return body.act == IMMUNE_ACT_WHAT_UNSHARE && body.argument == CLONE_NEWUTS;
}

/* A child reads a byte of this very process, where its own copy of it lies. */
static int access_perform(void)
{
	static char source = 1, target;
	struct iovec from = { .iov_base = &source, .iov_len = 1 };
	struct iovec to = { .iov_base = &target, .iov_len = 1 };
	pid_t own = getpid(), child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		syscall(SYS_process_vm_readv, own, &to, 1, &from, 1, 0);
		_exit(0);
	}
	return act_reap(child);
}

static bool access_seen(const uint8_t *record, const struct immune_record_header *header)
{
	struct immune_access_body body;

	if (header->kind != IMMUNE_KIND_ACCESS)
		return false;
	memcpy(&body, record + header->header_length, sizeof(body));
	return body.access == IMMUNE_ACCESS_READ && body.target_pid == (uint32_t)getpid();
}

const struct act act_act = { act_perform, act_seen };
const struct act act_access = { access_perform, access_seen };
