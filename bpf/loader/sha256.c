// SPDX-License-Identifier: MIT
#include <string.h>

#include "sha256.h"

static const uint32_t CONSTANTS[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t value, int bits)
{
	return value >> bits | value << (32 - bits);
}

static uint32_t read_word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_word(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = value >> (24 - 8 * i);
}

/* One round; the working variables a to h of the standard stand `turn` places further. */
static inline __attribute__((always_inline)) void add_round(uint32_t v[8], int turn, uint32_t word)
{
	uint32_t a = v[(8 - turn) & 7], b = v[(9 - turn) & 7], c = v[(10 - turn) & 7];
	uint32_t e = v[(12 - turn) & 7], f = v[(13 - turn) & 7], g = v[(14 - turn) & 7];
	uint32_t *h = &v[(15 - turn) & 7];
	uint32_t first = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
			 word;
	uint32_t second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			  ((a & b) ^ (a & c) ^ (b & c));

	v[(11 - turn) & 7] += first;
	*h = first + second;
}

static void add_block(struct sha256 *sha, const uint8_t *block)
{
	uint32_t words[64], v[8];

	for (int i = 0; i < 16; i++)
		words[i] = read_word(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t a = words[i - 15], b = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
			   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	memcpy(v, sha->state, sizeof(v));
	/* Eight rounds, in which the variables change places once around. */
	for (int i = 0; i < 64; i += 8)
		for (int k = 0; k < 8; k++)
			add_round(v, k, CONSTANTS[i + k] + words[i + k]);
	for (int i = 0; i < 8; i++)
		sha->state[i] += v[i];
}

void sha256_begin(struct sha256 *sha)
{
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, start, sizeof(start));
	sha->bytes = 0;
}

void sha256_add(struct sha256 *sha, const uint8_t *bytes, size_t length)
{
	size_t kept = sha->bytes % SHA256_BLOCK_BYTES;

	sha->bytes += length;
	if (kept && kept + length >= SHA256_BLOCK_BYTES) {
		size_t part = SHA256_BLOCK_BYTES - kept;

		memcpy(sha->block + kept, bytes, part);
		add_block(sha, sha->block);
		bytes += part;
		length -= part;
		kept = 0;
	}
	for (; length >= SHA256_BLOCK_BYTES; length -= SHA256_BLOCK_BYTES) {
		add_block(sha, bytes);
		bytes += SHA256_BLOCK_BYTES;
	}
	memcpy(sha->block + kept, bytes, length);
}

void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_BYTES])
{
	static const uint8_t padding[SHA256_BLOCK_BYTES] = { 0x80 };
	uint64_t bits = sha->bytes * 8;
	size_t kept = sha->bytes % SHA256_BLOCK_BYTES;
	uint8_t length[8];

	write_word(length, bits >> 32);
	write_word(length + 4, bits);
	sha256_add(sha, padding, (kept < 56 ? 56 : 120) - kept);
	sha256_add(sha, length, sizeof(length));
	for (int i = 0; i < 8; i++)
		write_word(digest + 4 * i, sha->state[i]);
}
