import { HASH_A, HASH_B, HASH_C } from "./literal_layout.ts";

/**
 * Hash of some bytes, as `wasm/assembly/literal_hash.ts` has it.
 *
 * @param bytes Folded text.
 * @param options Kind of key, and where to start and end in it.
 * @returns A u32.
 */
export function hashBytes(
  bytes: Uint8Array,
  { kind, start = 0, end = bytes.length }: {
    readonly kind: number;
    readonly start?: number;
    readonly end?: number;
  },
): number {
  let hash = Math.imul(end - start, HASH_B) ^ Math.imul(kind, HASH_C);
  let at = start;
  for (; end - at >= 4; at += 4) {
    hash = Math.imul(hash ^ word(bytes, at), HASH_A);
    hash ^= hash >>> 15;
  }
  let rest = 0;
  for (let i = 0; at + i < end; i++) rest |= (bytes[at + i] ?? 0) << (8 * i);
  return finish(Math.imul(hash ^ rest, HASH_A));
}

/** Hash of the 3 bytes at a place. */
export function hashDenseGram(bytes: Uint8Array, at: number): number {
  return Math.imul(word(bytes, at) & 0xFF_FFFF, HASH_A) >>> 0;
}

/** Hash of the 6 bytes at a place. */
export function hashSampledGram(bytes: Uint8Array, at: number): number {
  const tail = (bytes[at + 4] ?? 0) | (bytes[at + 5] ?? 0) << 8;
  return (Math.imul(word(bytes, at), HASH_A) + Math.imul(tail, HASH_B)) >>> 0;
}

/** Index of two bytes, the second one shifted by 8, in a table of 2^bits. */
export function pairIndex(pair: number, bits: number): number {
  return Math.imul(pair, HASH_A) >>> (32 - bits);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 |
    (bytes[at + 3] ?? 0) << 24;
}

function finish(hash: number): number {
  return (hash ^ hash >>> 15) >>> 0;
}
