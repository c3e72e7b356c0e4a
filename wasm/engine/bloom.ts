import type { Core } from "./core.ts";
import type { Engine } from "./engine.ts";

/** Longest filter, in bytes: the size of its region. */
export const BLOOM_BYTES_MAX = 2 * 1024 * 1024;
/** Most places a key. */
export const BLOOM_PLACES_MAX = 24;
const BLOCK_BYTES = 64;
/** Bits that the blocked variant takes more, for the same rate (measured: specs/bloom.md). */
const BLOCKED_SURPLUS = 1.2;

/** What a filter is to hold. */
export interface BloomOptions {
  /** Keys that it is made for, at least 1. */
  readonly items: number;
  /** Share of false positives at that many keys, between 0 and 1; default 0.01. */
  readonly rate?: number;
  /** All bits of a key in one cache line: faster when the filter is large; default false. */
  readonly blocked?: boolean;
}

/** Size of a filter. */
export interface BloomSize {
  /** A multiple of 64. */
  readonly bytes: number;
  /** Places a key. */
  readonly places: number;
}

/**
 * Computes how large a filter must be (Bloom 1970: m = -n ln p / ln² 2, k = m / n ln 2).
 *
 * @param options Keys, rate and variant.
 * @returns Its size.
 * @throws {RangeError} when an option is out of range or the filter would not fit.
 */
export function bloomSize(options: BloomOptions): BloomSize {
  const { items, rate = 0.01, blocked = false } = options;
  if (!(items >= 1) || !(rate > 0 && rate < 1)) {
    throw new RangeError(`Cannot size a filter for "${items}" keys at rate "${rate}"`);
  }
  const bits = -items * Math.log(rate) / Math.LN2 ** 2 * (blocked ? BLOCKED_SURPLUS : 1);
  const bytes = Math.ceil(bits / 8 / BLOCK_BYTES) * BLOCK_BYTES;
  if (bytes > BLOOM_BYTES_MAX) {
    throw new RangeError(`Cannot hold "${items}" keys: "${bytes}" bytes over ${BLOOM_BYTES_MAX}`);
  }
  const places = Math.round(-Math.log(rate) / Math.LN2);
  return { bytes, places: Math.min(Math.max(places, 1), BLOOM_PLACES_MAX) };
}

/**
 * "Was this ever listed?": no means no, yes means perhaps. One per engine; making another one
 * empties the one before.
 */
export class BloomFilter {
  readonly #core: Core;
  readonly size: BloomSize;

  /**
   * @param engine Engine in whose memory it lies.
   * @param options Keys, rate and variant.
   * @throws {RangeError} when an option is out of range or the filter would not fit.
   */
  constructor(engine: Engine, options: BloomOptions) {
    this.#core = engine.core;
    this.size = bloomSize(options);
    const { bytes, places } = this.size;
    this.#core.exports.bloom_configure(bytes, places, options.blocked === true ? 1 : 0);
  }

  /**
   * Adds a key.
   *
   * @param key Bytes, or a string taken as UTF-8; at most 63 KiB.
   */
  add(key: Uint8Array | string): void {
    const length = this.#core.put(key);
    this.#core.exports.bloom_add(this.#core.text, length);
  }

  /**
   * Asks for a key.
   *
   * @param key Bytes, or a string taken as UTF-8; at most 63 KiB.
   * @returns False when it was never added; true when it was, or by chance.
   */
  has(key: Uint8Array | string): boolean {
    const length = this.#core.put(key);
    return this.#core.exports.bloom_has(this.#core.text, length) === 1;
  }

  /**
   * Asks for a key that already lies in the module's memory, without a copy.
   *
   * @param pointer Place in the memory, such as `engine.batch.byteOffset` and more.
   * @param length Bytes.
   * @returns As {@linkcode BloomFilter.has}.
   */
  hasAt(pointer: number, length: number): boolean {
    return this.#core.exports.bloom_has(pointer, length) === 1;
  }
}
