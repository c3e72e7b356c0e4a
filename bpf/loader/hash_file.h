/* SPDX-License-Identifier: MIT */
/* The one file that a record means, opened. */
#ifndef IMMUNE_HASH_FILE_H
#define IMMUNE_HASH_FILE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "hash_read.h"
#include "immune_record.h"

/* What is to be hashed. */
struct hash_request {
	struct immune_record_header header; /* of the record that it is for */
	uint64_t inode;
	uint32_t device;
	bool is_program; /* else a file that was opened or changed */
	char path[IMMUNE_PATH_BYTES_MAX];
};

/* Programs of the sensor that say of a descriptor what the file system is not asked. */
struct hash_programs {
	int served; /* on_served (served.h) */
	int file; /* on_file (file_ask.h) */
};

/* A file that a program may serve. */
struct hash_apart_file {
	int place; /* a descriptor as a path alone: it asked nobody */
	bool tells; /* as of file_tells() */
};

/* Opens the file of a request and no other one: a program by its process, which holds it, else a
 * path; it has the device and inode of the record. Returns a descriptor or a negative errno.
 * EREMOTE: a program serves it, or may: `apart` has it. EINVAL: one serves what lies on its path, or
 * it is no plain file. */
int hash_open(const struct hash_request *request, const struct hash_programs *programs,
	      struct hash_version *version, struct hash_apart_file *apart);

#endif
