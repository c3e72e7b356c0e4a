/* SPDX-License-Identifier: MIT */
/* What the loader (hash_helper.c) and immune-hasher (bpf/hasher) say to one another. */
#ifndef IMMUNE_HASHER_H
#define IMMUNE_HASHER_H

#include <stdint.h>

#include "hash_read.h"

/* What it is started with. */
enum hasher_fd {
	HASHER_FD_SOCKET = 3, /* SOCK_SEQPACKET; it ends with the other end */
	HASHER_FD_COUNT = 4,
};

/* Comes with the file, a descriptor as a path alone (SCM_RIGHTS). */
struct hasher_question {
	uint64_t record_ns; /* boot clock */
	uint32_t tells; /* as of struct hash_apart_file */
};

struct hasher_answer {
	int32_t error; /* of hash_look() or hash_read(); HASHER_GOES_ON */
	uint32_t is_known; /* as of struct hash_found */
	struct hash_version version;
	uint8_t digest[SHA256_BYTES];
};

/* No answer yet, but a sign that the file is being read. */
#define HASHER_GOES_ON 1

#endif
