/* SPDX-License-Identifier: MIT */
/* The eBPF object that fits the running kernel. */
#ifndef IMMUNE_OBJECT_H
#define IMMUNE_OBJECT_H

struct bpf_object_open_opts;
struct sensor_bpf;

/* Types of the running kernel. */
#define DEFAULT_BTF "/sys/kernel/btf/vmlinux"

/*
 * Opens the sensor's programs, not loaded yet; NULL with errno. What hangs on an event that the
 * kernel does not have is left out: bpf_program__autoload() is false.
 */
struct sensor_bpf *sensor_object_open(const struct bpf_object_open_opts *options);

#endif
