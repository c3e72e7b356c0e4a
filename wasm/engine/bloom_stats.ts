import { BLOOM_UNIT_BYTES } from "./bloom_size.ts";
import type { SavedBloom } from "./bloom_file.ts";

/** How full a filter is. */
export interface BloomStats {
  /** Keys that were added, without those that it seemed to have already. */
  readonly items: number;
  /** Keys that it is made for. */
  readonly capacity: number;
  readonly bits: number;
  /** Places a key. */
  readonly places: number;
  /** Share of bits that are set. */
  readonly fill: number;
  /** Share of false positives that it is made for. */
  readonly wantedRate: number;
  /** Share of false positives now, from the bits that are set. */
  readonly estimatedRate: number;
}

/**
 * Counts a filter's bits. A key that was not added has all its places set with probability fill ^
 * places; in the blocked variant with that of its block, so blocks are averaged.
 *
 * @param filter The filter.
 * @returns Its statistics.
 */
export function bloomStats(filter: SavedBloom): BloomStats {
  const { bits, places, blocked, items, capacity, rate } = filter;
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length / 4);
  const wordsPerPart = blocked ? BLOOM_UNIT_BYTES / 4 : words.length;
  const parts = words.length / wordsPerPart;
  let set = 0;
  let positives = 0;
  for (let part = 0; part < parts; part++) {
    let found = 0;
    for (let i = 0; i < wordsPerPart; i++) found += bitsOf(words[part * wordsPerPart + i] ?? 0);
    set += found;
    positives += (found / (wordsPerPart * 32)) ** places;
  }
  return {
    items,
    capacity,
    bits: bits.length * 8,
    places,
    fill: set / (bits.length * 8),
    wantedRate: rate,
    estimatedRate: positives / parts,
  };
}

/** Bits that are set in a word (Warren, Hacker's Delight, 5-1). */
function bitsOf(word: number): number {
  word -= (word >>> 1) & 0x5555_5555;
  word = (word & 0x3333_3333) + ((word >>> 2) & 0x3333_3333);
  word = (word + (word >>> 4)) & 0x0F0F_0F0F;
  return Math.imul(word, 0x0101_0101) >>> 24;
}
