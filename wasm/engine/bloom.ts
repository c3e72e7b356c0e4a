import { ImmuneError } from "../../common/config/errors.ts";
import { decodeBloom, encodeBloom } from "./bloom_file.ts";
import { BLOOM_RATE, type BloomOptions, type BloomSize, bloomSize } from "./bloom_size.ts";
import { type BloomStats, bloomStats } from "./bloom_stats.ts";
import type { Core } from "./core.ts";
import type { Engine } from "./engine.ts";

/**
 * "Was this ever listed?": no means no, yes means perhaps. One per engine; making another one
 * empties the one before.
 */
export class BloomFilter {
  readonly #core: Core;
  readonly #options: Required<BloomOptions>;
  #items = 0;
  readonly size: BloomSize;

  /**
   * @param engine Engine in whose memory it lies.
   * @param options Keys, rate and variant.
   * @throws {RangeError} when an option is out of range or the filter would not fit.
   */
  constructor(engine: Engine, options: BloomOptions) {
    this.#core = engine.core;
    this.size = bloomSize({ ...options, bytesMax: engine.core.bloom.length });
    const { items, rate = BLOOM_RATE, blocked = false } = options;
    this.#options = { items: Math.ceil(items), rate, blocked };
    const { bytes, places } = this.size;
    this.#core.exports.bloom_configure(bytes, places, blocked ? 1 : 0);
  }

  /**
   * Takes over a filter that was saved.
   *
   * @param engine Engine in whose memory it will lie.
   * @param saved What {@linkcode BloomFilter.save} gave.
   * @returns The filter, with the keys that it had.
   * @throws {ImmuneError} `INDICATORS_INVALID` when it is torn or of another version; the one
   * before stays as it is.
   */
  static load(engine: Engine, saved: Uint8Array): BloomFilter {
    const { bits, places, items, capacity, rate, blocked } = decodeBloom(saved);
    const options = { items: capacity, rate, blocked };
    const size = bloomSize({ ...options, bytesMax: engine.core.bloom.length });
    if (size.bytes !== bits.length || size.places !== places) {
      throw new ImmuneError(
        "INDICATORS_INVALID",
        `Cannot load the Bloom filter: ${bits.length} bytes are not what ${capacity} keys at rate ` +
          `${rate} take; make it anew`,
      );
    }
    const filter = new BloomFilter(engine, options);
    filter.#core.bloom.set(bits);
    filter.#items = items;
    return filter;
  }

  /** Keys that were added, without those that it seemed to have already. */
  get items(): number {
    return this.#items;
  }

  /** Keys that it is made for. */
  get capacity(): number {
    return this.#options.items;
  }

  /**
   * Adds a key.
   *
   * @param key Bytes, or a string taken as UTF-8; at most 63 KiB.
   */
  add(key: Uint8Array | string): void {
    const length = this.#core.put(key);
    const { text, exports } = this.#core;
    if (exports.bloom_has(text, length) === 0) this.#items++;
    exports.bloom_add(text, length);
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

  /** Counts how full it is: every bit is looked at, 2 MiB take about a millisecond. */
  stats(): BloomStats {
    return bloomStats(this.#saved());
  }

  /**
   * Writes it as bytes for {@linkcode BloomFilter.load}.
   *
   * @returns Header and bits, with a checksum over both.
   */
  save(): Uint8Array<ArrayBuffer> {
    return encodeBloom(this.#saved());
  }

  #saved(): Parameters<typeof encodeBloom>[0] {
    const { items: capacity, rate, blocked } = this.#options;
    const { bytes, places } = this.size;
    const bits = this.#core.bloom.subarray(0, bytes);
    return { bits, places, blocked, items: this.#items, capacity, rate };
  }
}
