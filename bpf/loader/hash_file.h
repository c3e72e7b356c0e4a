/* SPDX-License-Identifier: MIT */
/* The one file that a record means, opened and hashed. */
#ifndef IMMUNE_HASH_FILE_H
#define IMMUNE_HASH_FILE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "immune_record.h"
#include "sha256.h"

/* Longest file that is hashed. */
#define HASH_FILE_BYTES_MAX (512ull << 20)
/* Bytes read at once, between two looks at whether it is to end. */
#define HASH_READ_BYTES (256u << 10)

/* What is to be hashed. */
struct hash_request {
	struct immune_record_header header; /* of the record that it is for */
	uint64_t inode;
	uint32_t device;
	bool is_program; /* else a file that was opened or changed */
	char path[IMMUNE_PATH_BYTES_MAX];
};

/* A version of a file. */
struct hash_version {
	uint64_t inode;
	uint64_t change_time_ns;
	uint64_t size;
	uint32_t device;
	uint32_t flags; /* IMMUNE_FLAG_UNRESOLVED: changed after what the record tells */
};

/* Opens the file of a request and no other one: a program by its process, which holds it, else a
 * path whose file has the device and inode of the record. EINVAL: none of the kernel's own file
 * systems has it, as the program `served` says (served.h). Returns a descriptor or a negative errno. */
int hash_open(const struct hash_request *request, int served, struct hash_version *version);

/* Hashes it from its start. 0; -EAGAIN when it changed meanwhile; -ECANCELED when stopping. */
int hash_file(int fd, const struct hash_version *version, const _Atomic bool *stopping,
	      uint8_t digest[SHA256_BYTES]);

#endif
