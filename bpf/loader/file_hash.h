/* SPDX-License-Identifier: MIT */
/* Hashing what a descriptor has, at once. */
#ifndef IMMUNE_FILE_HASH_H
#define IMMUNE_FILE_HASH_H

#include "sha256.h"

/* Hashes a file from its start; 0, -EFBIG over bytes_max, or -errno. */
int file_hash(int fd, uint64_t bytes_max, uint8_t digest[SHA256_BYTES]);

/* The same up to a time of the boot clock; -ETIME when it was not done by then. */
int file_hash_until(int fd, uint64_t bytes_max, uint64_t deadline_ns,
		    uint8_t digest[SHA256_BYTES]);

#endif
