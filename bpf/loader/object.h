/* SPDX-License-Identifier: MIT */
/* The eBPF object that fits the running kernel. */
#ifndef IMMUNE_OBJECT_H
#define IMMUNE_OBJECT_H

struct bpf_object_open_opts;
struct sensor_bpf;

/* Opens the sensor's programs, not loaded yet; NULL with errno. */
struct sensor_bpf *sensor_object_open(const struct bpf_object_open_opts *options);

#endif
