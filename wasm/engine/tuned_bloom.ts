import { BloomFilter } from "./bloom.ts";
import { BLOOM_RATE, bloomItemsMax } from "./bloom_size.ts";
import type { BloomStats } from "./bloom_stats.ts";
import type { Engine } from "./engine.ts";

/** Keys that the first filter is made for, where nothing is said. */
const ITEMS_FIRST = 1024;
/** How much larger the next one is than what it has to hold. */
const GROWTH = 2;
/** How far the estimate may lie over the wanted rate: the blocks of a filter differ. */
const ESTIMATE_TOLERANCE = 1.35;
/** Factor by which the rate is given up when the wanted one does not fit. */
const RATE_STEP = 2;

/** What a filter that tunes itself works with. */
export interface TunedBloomOptions {
  /** All keys that it is to have, from which it is made anew: those that were added, in any order. */
  readonly keys: () => Iterable<Uint8Array | string>;
  /** Keys to begin with; default 1,024. */
  readonly items?: number;
  /** Share of false positives that it must stay under, between 0 and 1; default 0.01. */
  readonly rate?: number;
  /** All bits of a key in one cache line; default false. */
  readonly blocked?: boolean;
}

/** Statistics of a filter that tunes itself. */
export interface TunedBloomStats extends BloomStats {
  /** The rate that was asked for; `wantedRate` is over it when so many keys do not fit at it. */
  readonly askedRate: number;
  /** Times that it was made anew. */
  readonly rebuilt: number;
}

/**
 * A Bloom filter that stays under its rate: it is made anew, larger, when it has more keys than it
 * was made for, or when its estimated rate exceeds the wanted one. One per engine.
 */
export class TunedBloom {
  readonly #engine: Engine;
  readonly #options: Required<TunedBloomOptions>;
  #filter: BloomFilter;
  #rebuilt = 0;

  /**
   * Makes one with the keys that there are.
   *
   * @param engine Engine in whose memory it lies.
   * @param options Keys and rate.
   * @throws {RangeError} when the rate is out of range.
   */
  constructor(engine: Engine, options: TunedBloomOptions) {
    this.#engine = engine;
    this.#options = { items: ITEMS_FIRST, rate: BLOOM_RATE, blocked: false, ...options };
    this.#filter = this.#fitting(Math.max(1, this.#options.items));
    for (const key of this.#options.keys()) this.#filter.add(key);
    this.tune();
  }

  /** The filter now; another one after it was made anew. */
  get filter(): BloomFilter {
    return this.#filter;
  }

  /**
   * Adds a key that `keys` gives from now on.
   *
   * @param key Bytes, or a string taken as UTF-8; at most 63 KiB.
   */
  add(key: Uint8Array | string): void {
    this.#filter.add(key);
    if (this.#filter.items > this.#filter.capacity) this.#rebuild(this.#filter.items * GROWTH);
  }

  /**
   * Looks at the bits, and makes the filter anew when they say that it is over its rate.
   *
   * @returns Its statistics afterwards.
   */
  tune(): TunedBloomStats {
    for (;;) {
      const stats = this.stats();
      const isOver = stats.items > stats.capacity ||
        stats.estimatedRate > stats.wantedRate * ESTIMATE_TOLERANCE;
      const next = Math.max(stats.items, stats.capacity) * GROWTH;
      if (!isOver) return stats;
      if (!this.#rebuild(next)) return this.stats();
    }
  }

  /** Counts how full it is. */
  stats(): TunedBloomStats {
    const { rate: askedRate } = this.#options;
    return { ...this.#filter.stats(), askedRate, rebuilt: this.#rebuilt };
  }

  /** Makes it anew for so many keys; false when the one that there is cannot be bettered. */
  #rebuild(items: number): boolean {
    const before = this.#filter.size;
    this.#filter = this.#fitting(items);
    this.#rebuilt++;
    for (const key of this.#options.keys()) this.#filter.add(key);
    return this.#filter.size.bytes > before.bytes;
  }

  /** A filter for so many keys: at the rate that was asked for, else the best that fits. */
  #fitting(items: number): BloomFilter {
    const { blocked } = this.#options;
    for (let rate = this.#options.rate;; rate = Math.min(rate * RATE_STEP, (rate + 1) / 2)) {
      if (bloomItemsMax({ rate, blocked, bytesMax: this.#engine.core.bloom.length }) < items) {
        continue;
      }
      return new BloomFilter(this.#engine, { items, rate, blocked });
    }
  }
}
