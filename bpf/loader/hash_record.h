/* SPDX-License-Identifier: MIT */
/* A record of a file's hash. */
#ifndef IMMUNE_HASH_RECORD_H
#define IMMUNE_HASH_RECORD_H

#include <stdint.h>

#include "hash_file.h"

struct hash_record {
	struct immune_record_header header;
	struct immune_image_hash_body body;
	struct immune_slot slots[IMMUNE_IMAGE_HASH_SLOT_COUNT];
	uint8_t bytes[SHA256_BYTES + IMMUNE_PATH_BYTES_MAX + 8]; /* padding may follow */
};

_Static_assert(__builtin_offsetof(struct hash_record, bytes) ==
		       sizeof(struct immune_record_header) + sizeof(struct immune_image_hash_body) +
			       IMMUNE_IMAGE_HASH_SLOT_COUNT * sizeof(struct immune_slot),
	       "hash_record has no holes");

/* Makes the record of a request's file, but for its sequence number. */
void hash_record_fill(struct hash_record *record, const struct hash_request *request,
		      const struct hash_version *version, const uint8_t digest[SHA256_BYTES]);

#endif
