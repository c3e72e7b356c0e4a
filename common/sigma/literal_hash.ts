import { HASH_A, HASH_B, HASH_C } from "./literal_layout.ts";

/** How a text that stands at an end of a value is hashed. */
export interface AnchoredOptions {
  /** Kind of key. */
  readonly kind: number;
  /** Whether the end of the text is at the end of the value. */
  readonly fromEnd: boolean;
  /** Bytes that are hashed, from that end on. */
  readonly bytes: number;
  /** Length that is mixed in. */
  readonly length: number;
}

/**
 * Hash of a text that stands at an end of a value, as `wasm/assembly/literal_hash.ts` has it: word for
 * word from that end on, so that the hash of a longer text goes on where that of a shorter one was.
 *
 * @param text Folded text.
 * @param options What of it is hashed, and how.
 * @returns A u32.
 */
export function hashAnchored(
  text: Uint8Array,
  { kind, fromEnd, bytes, length }: AnchoredOptions,
): number {
  const start = fromEnd ? text.length - bytes : 0;
  let hash = Math.imul(kind, HASH_C);
  let taken = 0;
  for (; bytes - taken >= 4; taken += 4) {
    hash = Math.imul(hash ^ word(text, fromEnd ? text.length - taken - 4 : taken), HASH_A);
    hash ^= hash >>> 15;
  }
  const rest = bytes - taken;
  let tail = 0;
  for (let i = 0; i < rest; i++) tail |= (text[fromEnd ? start + i : taken + i] ?? 0) << (8 * i);
  return finish(Math.imul(hash ^ tail, HASH_A) + Math.imul(length, HASH_B));
}

/** Hash of the 4 bytes at a place. */
export function hashDenseGram(bytes: Uint8Array, at: number): number {
  return Math.imul(word(bytes, at), HASH_A) >>> 0;
}

/** Hash of the 3 bytes at a place. */
export function hashTriple(bytes: Uint8Array, at: number): number {
  return Math.imul(word(bytes, at) & 0xFF_FFFF, HASH_A) >>> 0;
}

/** Key of one or two bytes, with `SHORT_KEYS` above them. */
export function hashShort(bytes: number): number {
  return Math.imul(bytes, HASH_A) >>> 0;
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
