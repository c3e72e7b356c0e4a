import { type Indicator, isExpired } from "./indicator.ts";
import { INDICATORS_MAX, PER_VALUE_MAX, SIGHTINGS_MAX, SOURCES_MAX } from "./limits.ts";
import { INDICATOR_TYPES, type IndicatorType, keyOf } from "./value.ts";

/** Indicators that left a set, by why, since it was made. */
export interface LeftCounters {
  /** Their time was over. */
  readonly expired: number;
  /** Their source took them back, or an operator took them out. */
  readonly withdrawn: number;
  /** There was no room: in the set, or beside others with the same value. */
  readonly evicted: number;
}

/** What adding came to. */
export interface Added {
  readonly added: number;
  /** Listed before by the same source under the same id: the new one took its place. */
  readonly updated: number;
  /** Their time is over already. */
  readonly expired: number;
  /** Indicators, new or old, that there was no room for. */
  readonly evicted: number;
  /** Of sources that there was no room for. */
  readonly refused: number;
}

/** How a set is made. */
export interface IndicatorSetOptions {
  /** Most indicators; default {@linkcode INDICATORS_MAX}. */
  readonly max?: number;
  /** What left it before. Default: nothing. */
  readonly left?: LeftCounters;
}

/**
 * Indicators by value, source and id. Pure: it has no clock, no file and no engine.
 */
export class IndicatorSet {
  /** By the order of the file: type and bytes of the value, then source and id. */
  readonly #byKey = new Map<string, Indicator>();
  readonly #perValue = new Map<string, number>();
  readonly #perSource = new Map<string, number>();
  readonly #max: number;
  #left: { expired: number; withdrawn: number; evicted: number };

  /** @param options Bound, and what left before. */
  constructor(options: IndicatorSetOptions = {}) {
    this.#max = options.max ?? INDICATORS_MAX;
    this.#left = { expired: 0, withdrawn: 0, evicted: 0, ...options.left };
  }

  /** Indicators in it. */
  get size(): number {
    return this.#byKey.size;
  }

  /** What left it. */
  get left(): LeftCounters {
    return { ...this.#left };
  }

  /** Indicators by source. */
  get sources(): ReadonlyMap<string, number> {
    return this.#perSource;
  }

  /**
   * Adds indicators. One that the same source listed under the same id is replaced; its first
   * moment and the larger count of sightings stay.
   *
   * @param indicators From `makeIndicator`.
   * @param nowMs Unix time in milliseconds.
   * @returns What it came to.
   */
  add(indicators: Iterable<Indicator>, nowMs: number): Added {
    const came = { added: 0, updated: 0, expired: 0, evicted: 0, refused: 0 };
    for (const indicator of indicators) came[this.#put(indicator, nowMs)]++;
    if (this.size > this.#max) {
      const before = this.size;
      this.expire(nowMs);
      came.expired += before - this.size;
      came.evicted += this.#evict();
    }
    return came;
  }

  /**
   * Takes back what a source listed.
   *
   * @param what The source, and the id of what it takes back; without an id all of it.
   * @returns How many went.
   */
  withdraw(what: { readonly source: string; readonly id?: string }): number {
    const { source, id } = what;
    return this.remove((each) => each.source === source && (id === undefined || each.id === id));
  }

  /**
   * Takes out what a test chooses.
   *
   * @param isChosen Test of an indicator.
   * @returns How many went.
   */
  remove(isChosen: (indicator: Indicator) => boolean): number {
    const gone = this.#drop(isChosen);
    this.#left.withdrawn += gone;
    return gone;
  }

  /**
   * Takes out what is out of force.
   *
   * @param nowMs Unix time in milliseconds.
   * @returns How many went.
   */
  expire(nowMs: number): number {
    const gone = this.#drop((each) => isExpired(each, nowMs));
    this.#left.expired += gone;
    return gone;
  }

  /**
   * All indicators, by type, then by the bytes of the value, then by source and id.
   *
   * @returns Keys that sort so, and indicators.
   */
  sorted(): readonly Indicator[] {
    return [...this.#byKey.keys()].sort().flatMap((key) => this.#byKey.get(key) ?? []);
  }

  /** All indicators, in no order. */
  all(): IterableIterator<Indicator> {
    return this.#byKey.values();
  }

  #put(indicator: Indicator, nowMs: number): keyof Added {
    if (isExpired(indicator, nowMs)) return "expired";
    const { type, value, source, id } = indicator;
    const place = placeOf(type, value);
    const key = `${place}\0${source}\0${id}`;
    const before = this.#byKey.get(key);
    if (before !== undefined) {
      this.#byKey.set(key, merged(before, indicator));
      return "updated";
    }
    if ((this.#perValue.get(place) ?? 0) >= PER_VALUE_MAX) {
      this.#left.evicted++;
      return "evicted";
    }
    if (!this.#perSource.has(source) && this.#perSource.size >= SOURCES_MAX) return "refused";
    this.#byKey.set(key, indicator);
    count(this.#perValue, place, 1);
    count(this.#perSource, source, 1);
    return "added";
  }

  /** Makes room: every source keeps an equal share, and so one that floods the set loses its own. */
  #evict(): number {
    const share = equalShare([...this.#perSource.values()], this.#max);
    const victims = new Set<Indicator>();
    for (const [name, count] of this.#perSource) {
      if (count <= share) continue;
      const own = [...this.all()].filter(({ source }) => source === name).sort(soonest);
      for (const indicator of own.slice(0, count - share)) victims.add(indicator);
    }
    const evicted = this.#drop((each) => victims.has(each));
    this.#left.evicted += evicted;
    return evicted;
  }

  #drop(isChosen: (indicator: Indicator) => boolean): number {
    let gone = 0;
    for (const [key, indicator] of this.#byKey) {
      if (!isChosen(indicator)) continue;
      this.#byKey.delete(key);
      count(this.#perValue, placeOf(indicator.type, indicator.value), -1);
      count(this.#perSource, indicator.source, -1);
      gone++;
    }
    return gone;
  }
}

/** Type and bytes of a value as a string that sorts as they do. */
function placeOf(type: IndicatorType, value: string): string {
  return String.fromCharCode(INDICATOR_TYPES[type], ...keyOf(type, value));
}

/** The largest count that each may keep, so that together they are at most `max`. */
function equalShare(counts: readonly number[], max: number): number {
  let left = max;
  const ascending = [...counts].sort((a, b) => a - b);
  for (const [i, count] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - i));
    if (count > share) return share;
    left -= count;
  }
  return Infinity;
}

function merged(before: Indicator, now: Indicator): Indicator {
  return {
    ...now,
    firstSeenMs: Math.min(before.firstSeenMs, now.firstSeenMs),
    sightings: Math.min(SIGHTINGS_MAX, Math.max(before.sightings, now.sightings)),
  };
}

/** Those go first that expire first; of those that never do, the ones listed longest ago. */
function soonest(a: Indicator, b: Indicator): number {
  const [first, second] = [a.expiresMs ?? Infinity, b.expiresMs ?? Infinity];
  return first === second ? a.listedMs - b.listedMs : first - second;
}

function count(counts: Map<string, number>, name: string, change: number): void {
  const now = (counts.get(name) ?? 0) + change;
  if (now > 0) counts.set(name, now);
  else counts.delete(name);
}
