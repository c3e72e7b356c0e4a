/* SPDX-License-Identifier: MIT */
/* A version of a file, looked at and hashed by its descriptor; also in bpf/hasher. */
#ifndef IMMUNE_HASH_READ_H
#define IMMUNE_HASH_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "sha256.h"

/* Longest file that is hashed. */
#define HASH_FILE_BYTES_MAX (512ull << 20)
/* Bytes read at once, between two looks at whether it is to end. */
#define HASH_READ_BYTES (256u << 10)

/* A version of a file. */
struct hash_version {
	uint64_t inode;
	uint64_t change_time_ns;
	uint64_t size;
	uint32_t device;
	uint32_t flags; /* IMMUNE_FLAG_UNRESOLVED: changed after what the record tells */
	bool lasts; /* from now on no other content has this version */
};

/* Asked after each HASH_READ_BYTES whether to read on. */
struct hash_reading {
	bool (*goes_on)(void *state);
	void *state;
};

/* Describes an open file that a record of that time (boot clock) tells of; whether it lasts, by its
 * times alone. 0; -EINVAL for no plain file; -EFBIG over HASH_FILE_BYTES_MAX; another -errno. */
int hash_look(int fd, uint64_t record_ns, struct hash_version *version);

/* Hashes it from its start. 0; -EAGAIN when it changed meanwhile; -ECANCELED when it is to end. */
int hash_read(int fd, const struct hash_version *version, const struct hash_reading *reading,
	      uint8_t digest[SHA256_BYTES]);

#endif
