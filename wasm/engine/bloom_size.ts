/** Longest filter, in bytes, of an engine that was not made with more room. */
export const BLOOM_BYTES_MAX = 2 * 1024 * 1024;
/** Most room that an engine can be made with, in bytes. */
export const BLOOM_ROOM_BYTES_MAX = 128 * 1024 * 1024;
/** A filter is a multiple of this many bytes: a cache line. */
export const BLOOM_UNIT_BYTES = 64;
/** Least places a key. */
export const BLOOM_PLACES_MIN = 1;
/** Most places a key. */
export const BLOOM_PLACES_MAX = 24;
/** Share of false positives that is aimed at where none is given. */
export const BLOOM_RATE = 0.01;
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

/** Where a filter is to fit. */
export interface BloomRoom {
  /** Bytes that it may have; default: those of an engine without more room. */
  readonly bytesMax?: number;
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
export function bloomSize(options: BloomOptions & BloomRoom): BloomSize {
  const { items, rate = BLOOM_RATE, bytesMax = BLOOM_BYTES_MAX } = options;
  if (!(items >= 1) || !(rate > 0 && rate < 1)) {
    throw new RangeError(`Cannot size a filter for "${items}" keys at rate "${rate}"`);
  }
  const bytes = Math.ceil(items * bitsPerKey(options) / 8 / BLOOM_UNIT_BYTES) * BLOOM_UNIT_BYTES;
  if (bytes > bytesMax) {
    throw new RangeError(`Cannot hold "${items}" keys: "${bytes}" bytes over ${bytesMax}`);
  }
  const places = Math.round(-Math.log2(rate));
  return { bytes, places: Math.min(Math.max(places, BLOOM_PLACES_MIN), BLOOM_PLACES_MAX) };
}

/**
 * How many keys the largest filter holds.
 *
 * @param options Rate and variant.
 * @returns Keys.
 */
export function bloomItemsMax(options: Omit<BloomOptions, "items"> & BloomRoom): number {
  const { bytesMax = BLOOM_BYTES_MAX } = options;
  // One bit less, so that no rounding makes it a cache line too many.
  return Math.floor((bytesMax * 8 - 1) / bitsPerKey(options));
}

function bitsPerKey({ rate = BLOOM_RATE, blocked = false }: Omit<BloomOptions, "items">): number {
  return -Math.log(rate) / Math.LN2 ** 2 * (blocked ? BLOCKED_SURPLUS : 1);
}
