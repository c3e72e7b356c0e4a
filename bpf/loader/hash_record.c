// SPDX-License-Identifier: MIT
#include "hash_record.h"

#include <stddef.h>
#include <string.h>

static void append(struct hash_record *record, uint32_t slot, const void *bytes, uint32_t length)
{
	memcpy((uint8_t *)record + record->header.length, bytes, length);
	record->slots[slot].offset = (uint16_t)record->header.length;
	record->slots[slot].length = (uint16_t)length;
	record->slots[slot].original_length = length;
	record->header.length += length;
}

void hash_record_fill(struct hash_record *record, const struct hash_request *request,
		      const struct hash_version *version, const uint8_t digest[SHA256_BYTES])
{
	struct immune_record_header *header = &record->header;

	memset(record, 0, offsetof(struct hash_record, bytes));
	*header = request->header;
	header->length = offsetof(struct hash_record, bytes);
	header->header_length = sizeof(*header);
	header->body_length = sizeof(record->body);
	header->kind = IMMUNE_KIND_IMAGE_HASH;
	header->source = (uint16_t)IMMUNE_SOURCE_HASH;
	header->slot_count = IMMUNE_IMAGE_HASH_SLOT_COUNT;
	header->version = IMMUNE_RECORD_VERSION;
	header->flags = version->flags;
	record->body.device = version->device;
	record->body.is_program = request->is_program;
	record->body.inode = version->inode;
	record->body.change_time_ns = version->change_time_ns;
	record->body.size = version->size;
	append(record, IMMUNE_IMAGE_HASH_SLOT_SHA256, digest, SHA256_BYTES);
	append(record, IMMUNE_IMAGE_HASH_SLOT_PATH, request->path,
	       (uint32_t)strlen(request->path));
	memset((uint8_t *)record + header->length, 0, IMMUNE_RECORD_ALIGNMENT);
	header->length = (header->length + IMMUNE_RECORD_ALIGNMENT - 1) &
			 ~(IMMUNE_RECORD_ALIGNMENT - 1u);
}
