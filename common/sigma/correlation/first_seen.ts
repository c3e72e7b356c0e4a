import { createHash } from "node:crypto";
import { SIGHTINGS_MAX } from "./limits.ts";

/** Bytes of the hash that stands for a group: two groups have the same by accident alone. */
export const SIGHTING_KEY_BYTES = 16;
/** A later sighting is news for the store when it is later by this part of the time span. */
const NEWS_PART = 64;

/** When a group was last seen. */
export interface Sighting {
  /** `SIGHTING_KEY_BYTES` bytes as lower-case hexadecimal digits. */
  readonly key: string;
  readonly timeMs: number;
}

interface Seen {
  lastMs: number;
  /** What the store has; -Infinity = nothing. */
  storedMs: number;
}

/** Remembers when groups were last seen: the state of `first_seen`, bounded. */
export class Sightings {
  readonly #max: number;
  /** From the least recently seen on. */
  readonly #seen = new Map<string, Seen>();
  readonly #news = new Set<string>();
  #evicted = 0;

  /** @param max Most groups, of all rules together. Default: `SIGHTINGS_MAX`. */
  constructor(max: number = SIGHTINGS_MAX) {
    this.#max = max;
  }

  /** Groups that are remembered. */
  get size(): number {
    return this.#seen.size;
  }

  /** Groups that were forgotten because there were too many; they will be new again. */
  get evicted(): number {
    return this.#evicted;
  }

  /**
   * Sees a group.
   *
   * @param group Names it: the rule's id, then the group's values.
   * @param at When, and the rule's time span, in milliseconds.
   * @returns True when it was not seen within the time span before, or since.
   */
  see(group: readonly string[], at: { readonly timeMs: number; readonly spanMs: number }): boolean {
    const { timeMs, spanMs } = at;
    const key = createHash("sha256").update(JSON.stringify(group)).digest("hex")
      .slice(0, SIGHTING_KEY_BYTES * 2);
    const { lastMs, storedMs } = this.#seen.get(key) ?? UNSEEN;
    const newestMs = Math.max(timeMs, lastMs);
    this.#put(key, { lastMs: newestMs, storedMs });
    if (newestMs - storedMs >= spanMs / NEWS_PART) this.#news.add(key);
    return timeMs - lastMs > spanMs;
  }

  /**
   * Takes back what a store kept.
   *
   * @param sighting A group and when it was last seen.
   */
  restore({ key, timeMs }: Sighting): void {
    const lastMs = Math.max(timeMs, this.#seen.get(key)?.lastMs ?? -Infinity);
    this.#put(key, { lastMs, storedMs: lastMs });
  }

  /** All that is remembered, from the least recently seen on. */
  *all(): Generator<Sighting> {
    for (const [key, { lastMs }] of this.#seen) yield { key, timeMs: lastMs };
  }

  /** What a store does not have yet; the next call has what came after. */
  takeNews(): readonly Sighting[] {
    const news: Sighting[] = [];
    for (const key of this.#news) {
      const seen = this.#seen.get(key);
      if (seen === undefined) continue;
      seen.storedMs = seen.lastMs;
      news.push({ key, timeMs: seen.lastMs });
    }
    this.#news.clear();
    return news;
  }

  #put(key: string, seen: Seen): void {
    this.#seen.delete(key);
    this.#seen.set(key, seen);
    if (this.#seen.size <= this.#max) return;
    const [oldest] = this.#seen.keys();
    if (oldest === undefined) return;
    this.#seen.delete(oldest);
    this.#news.delete(oldest);
    this.#evicted++;
  }
}

const UNSEEN: Seen = { lastMs: -Infinity, storedMs: -Infinity };
