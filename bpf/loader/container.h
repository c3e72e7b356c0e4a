/* SPDX-License-Identifier: MIT */
/* Which container a cgroup belongs to, by its path. */
#ifndef IMMUNE_CONTAINER_H
#define IMMUNE_CONTAINER_H

#include <stddef.h>

/* Longest id kept, in bytes: 64 hexadecimal digits, or the name of a machine. */
#define CONTAINER_BYTES_MAX 64

/*
 * Writes the id and its NUL; returns its length, 0 where there is none. Known are the forms of docker,
 * containerd and CRI, CRI-O, podman and Kubernetes (64 hexadecimal digits at the end of a component,
 * with or without .scope), systemd-nspawn and LXC (by their names).
 */
size_t container_of_path(const char *path, char out[CONTAINER_BYTES_MAX + 1]);

#endif
