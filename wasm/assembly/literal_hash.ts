// Hashes of folded text, as common/sigma/literal_hash.ts has them.

import { HASH_A, HASH_B, HASH_C } from "../../out/gen/image";

@inline function finish(hash: u32): u32 {
  return hash ^ (hash >> 15);
}

/** Where the hash of a text at an end of a value begins. */
@inline export function hash_begin(kind: u32): u32 {
  return kind * HASH_C;
}

/** Takes four bytes more. */
@inline export function hash_word(hash: u32, word: u32): u32 {
  hash = (hash ^ word) * HASH_A;
  return hash ^ (hash >> 15);
}

/** The hash of a text of `length` bytes, the up to three that make no word in `tail`. */
@inline export function hash_end(hash: u32, tail: u32, length: u32): u32 {
  return finish((hash ^ tail) * HASH_A + length * HASH_B);
}

/** Bytes of a gram that count, as a mask of four. */
@inline export const DENSE_MASK: u32 = 0xffffffff;
@inline export const TRIPLE_MASK: u32 = 0xffffff;

/** Hash of those of the 4 bytes at a place, `offset` bytes on, that the mask has. */
@inline export function hash_dense_gram(text: usize, offset: usize, mask: u32): u32 {
  return (load<u32>(text + offset) & mask) * HASH_A;
}

/** Key of one or two bytes, with SHORT_KEYS above them. */
@inline export function hash_short(bytes: u32): u32 {
  return bytes * HASH_A;
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
