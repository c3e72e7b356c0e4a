import type { Engine } from "./engine.ts";

const HASH_128_BYTES = 16;

/** How a key is hashed. */
export interface HashOptions {
  /** Unsigned 32-bit number; default 0. */
  readonly seed?: number;
}

/**
 * MurmurHash3_x86_32.
 *
 * @param engine Engine whose module computes it.
 * @param key Bytes, or a string hashed as UTF-8; at most 63 KiB.
 * @param options Seed.
 * @returns The hash, an unsigned 32-bit number.
 * @throws {RangeError} when the key is too long.
 */
export function murmur3x86(
  engine: Engine,
  key: Uint8Array | string,
  options: HashOptions = {},
): number {
  const { core } = engine;
  return core.exports.murmur3_x86_32(core.text, core.put(key), options.seed ?? 0) >>> 0;
}

/**
 * MurmurHash3_x64_128.
 *
 * @param engine Engine whose module computes it.
 * @param key Bytes, or a string hashed as UTF-8; at most 63 KiB.
 * @param options Seed.
 * @returns The hash, 16 bytes.
 * @throws {RangeError} when the key is too long.
 */
export function murmur3x64(
  engine: Engine,
  key: Uint8Array | string,
  options: HashOptions = {},
): Uint8Array<ArrayBuffer> {
  const { core } = engine;
  const out = core.text - HASH_128_BYTES;
  core.exports.murmur3_x64_128(core.text, core.put(key), options.seed ?? 0, out);
  return core.memory.slice(out, core.text);
}
