// SPDX-License-Identifier: MIT
/* Which programs a sensor has in the kernel, and whether the kernel still has them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sensor.h"
#include "sensor.skel.h"

IMMUNE_EXPORT int64_t immune_sensor_program_ids(struct immune_sensor *sensor, uint32_t *ids,
						uint32_t capacity)
{
	struct bpf_program *program;
	int64_t count = 0;

	if (!sensor || (!ids && capacity))
		return immune_misused("tell the sensor's programs");
	bpf_object__for_each_program(program, sensor->programs->obj) {
		struct bpf_prog_info info = { 0 };
		uint32_t length = sizeof(info);
		int fd = bpf_program__fd(program);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &length)) {
			int error = -errno;

			immune_fail("Cannot ask the kernel about program \"%s\": %s",
				    bpf_program__name(program), strerror(-error));
			return error;
		}
		if (count < capacity)
			ids[count] = info.id;
		count++;
	}
	return count;
}

IMMUNE_EXPORT int64_t immune_programs_left(const uint32_t *ids, uint32_t count)
{
	int64_t left = 0;

	if (!ids && count)
		return immune_misused("ask for programs");
	for (uint32_t i = 0; i < count; i++) {
		int fd = bpf_prog_get_fd_by_id(ids[i]);

		/* What cannot be told is not taken for gone. */
		left += fd >= 0 || errno != ENOENT;
		if (fd >= 0)
			close(fd);
	}
	return left;
}
