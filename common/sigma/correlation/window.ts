import { HITS_PER_GROUP_MAX, LATE_WINDOWS_MAX } from "./limits.ts";
import type { WindowHit, WindowHits } from "./measure.ts";

/** Reckoned bytes of a group without hits, and of a hit without its texts. */
const GROUP_BYTES = 512;
const HIT_BYTES = 96;
const BYTES_PER_UNIT = 2;

/** How long hits are kept. */
export interface WindowSpan {
  /** Longest time between the first and the last hit of a window, in milliseconds. */
  readonly spanMs: number;
  /** How far a hit may be behind the newest, in milliseconds. */
  readonly latenessMs: number;
}

/** What became of a hit. */
export type Added = "added" | "late" | "known";

/** Hits of one group, by time. A window is what of them lies within the span before one of them. */
export class GroupWindow {
  /** Values of the group. */
  readonly values: readonly string[];
  /** Last hit of the window that last matched, in milliseconds. */
  matchedMs = -Infinity;
  /** Hits that were let go because there were too many. */
  dropped = 0;
  readonly #span: WindowSpan;
  readonly #hits: WindowHit[] = [];
  /** Distinct values in the window that ends at the newest hit, and how often each is there. */
  readonly #distinct = new Map<string | number, number>();
  /** First hit of that window. */
  #start = 0;
  #bytes: number;

  /**
   * @param values Values of the group.
   * @param span How long hits are kept.
   */
  constructor(values: readonly string[], span: WindowSpan) {
    this.values = values;
    this.#span = span;
    this.#bytes = values.reduce((bytes, value) => bytes + textBytes(value), GROUP_BYTES);
  }

  /** Reckoned size, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All that is kept, by time. */
  get hits(): readonly WindowHit[] {
    return this.#hits;
  }

  /** Time of the newest hit, in milliseconds. */
  get newestMs(): number {
    return this.#hits.at(-1)?.timeMs ?? -Infinity;
  }

  /**
   * Takes a hit. Of hits at the same time, the one that came first is first.
   *
   * @param hit The hit.
   */
  add(hit: WindowHit): Added {
    const { spanMs, latenessMs } = this.#span;
    if (hit.timeMs < this.newestMs - latenessMs) return "late";
    const at = this.#after(hit.timeMs);
    for (let i = at - 1; this.#hits[i]?.timeMs === hit.timeMs; i--) {
      const same = this.#hits[i];
      if (same?.id === hit.id && same.member === hit.member) return "known";
    }
    this.#hits.splice(at, 0, hit);
    this.#bytes += hitBytes(hit);
    if (at < this.#start) this.#start++;
    else this.#count(hit, 1);
    const { newestMs } = this;
    this.#moveStart(newestMs - spanMs);
    this.#dropBefore(newestMs - spanMs - latenessMs);
    return "added";
  }

  /**
   * Windows that hold a time and end at it or at a later hit, from the earliest on.
   *
   * @param timeMs Time of a hit that is kept.
   */
  *windowsWith(timeMs: number): Generator<WindowHits> {
    const { newestMs } = this;
    let windows = 0;
    for (let end = this.#after(timeMs); end > 0;) {
      const endMs = this.#hits[end - 1]?.timeMs ?? Infinity;
      if (endMs > timeMs + this.#span.spanMs || ++windows > LATE_WINDOWS_MAX) return;
      const isNewest = endMs === newestMs;
      const start = isNewest ? this.#start : this.#from(endMs - this.#span.spanMs);
      const hits = this.#hits.slice(start, end);
      yield isNewest ? { hits, distinct: this.#distinct.size } : { hits };
      if (isNewest) return;
      end = this.#after(this.#hits[end]?.timeMs ?? Infinity);
    }
  }

  #moveStart(fromMs: number): void {
    for (;;) {
      const first = this.#hits[this.#start];
      if (first === undefined || first.timeMs >= fromMs) return;
      this.#count(first, -1);
      this.#start++;
    }
  }

  #dropBefore(fromMs: number): void {
    const old = this.#from(fromMs);
    const over = Math.max(0, this.#hits.length - HITS_PER_GROUP_MAX - old);
    this.dropped += over;
    const gone = this.#hits.splice(0, old + over);
    gone.forEach((hit, i) => {
      this.#bytes -= hitBytes(hit);
      if (i >= this.#start) this.#count(hit, -1);
    });
    this.#start = Math.max(0, this.#start - gone.length);
  }

  #count({ value }: WindowHit, change: number): void {
    const count = (this.#distinct.get(value) ?? 0) + change;
    if (count > 0) this.#distinct.set(value, count);
    else this.#distinct.delete(value);
  }

  /** First hit at or after a time. */
  #from(timeMs: number): number {
    return this.#search((hit) => hit.timeMs >= timeMs);
  }

  /** First hit after a time. */
  #after(timeMs: number): number {
    return this.#search((hit) => hit.timeMs > timeMs);
  }

  /** First hit that a test holds for; it holds for all that follow. */
  #search(test: (hit: WindowHit) => boolean): number {
    let low = 0;
    for (let high = this.#hits.length; low < high;) {
      const middle = (low + high) >> 1;
      const hit = this.#hits[middle];
      if (hit === undefined || test(hit)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function hitBytes({ id, value }: WindowHit): number {
  return HIT_BYTES + textBytes(id) + (typeof value === "string" ? textBytes(value) : 0);
}

function textBytes(text: string): number {
  return text.length * BYTES_PER_UNIT;
}
