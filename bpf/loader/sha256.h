/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4, section 6.2). */
#ifndef IMMUNE_SHA256_H
#define IMMUNE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_BLOCK_BYTES 64

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[SHA256_BLOCK_BYTES]; /* what does not fill a block yet */
};

void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const uint8_t *bytes, size_t length);
void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_BYTES]);

#endif
