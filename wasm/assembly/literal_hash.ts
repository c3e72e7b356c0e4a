// Hashes of folded text, as common/sigma/literal_hash.ts has them.

import { HASH_A, HASH_B, HASH_C } from "../../out/gen/image";

@inline function finish(hash: u32): u32 {
  return hash ^ (hash >> 15);
}

/** Hash of some bytes. Up to 3 bytes behind them are read and do not count. */
export function hash_bytes(text: usize, length: u32, kind: u32): u32 {
  let hash: u32 = (length * HASH_B) ^ (kind * HASH_C);
  const whole: usize = text + <usize> (length & ~3);
  for (; text < whole; text += 4) {
    hash = (hash ^ load<u32>(text)) * HASH_A;
    hash ^= hash >> 15;
  }
  const rest: u32 = length & 3;
  const word: u32 = rest == 0 ? 0 : load<u32>(text) & ((1 << (rest << 3)) - 1);
  return finish((hash ^ word) * HASH_A);
}

/** Hash of the 3 bytes at a place, `offset` bytes on. One behind them is read and does not count. */
@inline export function hash_dense_gram(text: usize, offset: usize): u32 {
  return (load<u32>(text + offset) & 0xffffff) * HASH_A;
}

/** Hash of the 6 bytes at a place. */
@inline export function hash_sampled_gram(text: usize): u32 {
  return load<u32>(text) * HASH_A + <u32> load<u16>(text, 4) * HASH_B;
}

/** Where the search for a key starts in a table; its size is a power of two, less 1 the mask. */
@inline export function first_slot(key: u32, mask: u32): u32 {
  return (key ^ (key >> 15)) & mask;
}

/** Index of two bytes, side by side, in a table of 2^bits. */
@inline export function pair_index(pair: u32, bits: u32): u32 {
  return (pair * HASH_A) >> (32 - bits);
}
