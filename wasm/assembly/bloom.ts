// Bloom filter in the BLOOM region (Bloom 1970; k places by double hashing, Kirsch and Mitzenmacher
// 2006). The blocked variant keeps all bits of a key in one cache line (Putze et al. 2007).

import { BLOOM, bloom_bytes } from "./memory";
import { hash128, hash_high, hash_low } from "./murmur3";

@inline const BLOCK_BYTES: u32 = 64;
/** Bits of a place that are not bits of a block. */
@inline const BLOCK_SHIFT: u64 = 55;
@inline const HASHES_MAX: u32 = 24;

let bits: u64 = 0;
let blocks: u64 = 0;
let hashes: u32 = 0;
let blocked: bool = false;

/** Empties the filter and sets its size (a multiple of 64), places a key and variant; 0 or -1. */
export function bloom_configure(bytes: u32, places: u32, in_blocks: u32): i32 {
  if (bytes == 0 || bytes > bloom_bytes || bytes % BLOCK_BYTES != 0) return -1;
  if (places == 0 || places > HASHES_MAX) return -1;
  bits = <u64> bytes << 3;
  blocks = <u64> (bytes / BLOCK_BYTES);
  hashes = places;
  blocked = in_blocks != 0;
  memory.fill(BLOOM, 0, bytes);
  return 0;
}

/** The high half of a hash as a number below `range`, without a division (Lemire 2016). */
@inline function reduce(hash: u64, range: u64): u64 {
  return ((hash >> 32) * range) >> 32;
}

@inline function block_of(hash: u64): usize {
  return BLOOM + <usize> reduce(hash, blocks) * <usize> BLOCK_BYTES;
}

/** Adds a key. */
export function bloom_add(pointer: usize, length: u32): void {
  hash128(pointer, length, 0);
  let place: u64 = blocked ? hash_high : hash_low;
  const step: u64 = blocked ? (hash_high << 17) | 1 : hash_high;
  const base: usize = blocked ? block_of(hash_low) : BLOOM;
  const range: u64 = blocked ? <u64> BLOCK_BYTES << 3 : bits;
  for (let i: u32 = 0; i < hashes; i++, place += step) {
    const bit: u64 = reduce(place, range);
    const at: usize = base + <usize> (bit >> 3);
    const flag: u32 = <u32> 1 << (<u32> bit & 7);
    store<u8>(at, <u8> (<u32> load<u8>(at) | flag));
  }
}

/** 0: the key was never added; 1: it was, or it is a false positive. */
export function bloom_has(pointer: usize, length: u32): u32 {
  if (hashes == 0) return 0;
  hash128(pointer, length, 0);
  return blocked ? has_blocked() : has_spread();
}

/** Ends at the first place that is not set: each is a line of its own, and may be far away. */
@inline function has_spread(): u32 {
  const range: u64 = bits;
  const step: u64 = hash_high;
  let place: u64 = hash_low;
  for (let left: u32 = hashes; left > 0; left--, place += step) {
    const bit: u64 = reduce(place, range);
    if (((<u32> load<u8>(BLOOM + <usize> (bit >> 3)) >> (<u32> bit & 7)) & 1) == 0) return 0;
  }
  return 1;
}

/** Looks at all places: they are in one line. */
@inline function has_blocked(): u32 {
  const base: usize = block_of(hash_low);
  const step: u64 = (hash_high << 17) | 1;
  let place: u64 = hash_high;
  let all: u32 = 1;
  for (let left: u32 = hashes; left > 0; left--, place += step) {
    // The top 9 bits: what `reduce` gives for the bits of a block.
    const bit: u32 = <u32> (place >> BLOCK_SHIFT);
    all &= <u32> load<u8>(base + <usize> (bit >> 3)) >> (bit & 7);
  }
  return all;
}
