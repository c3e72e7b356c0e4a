import { keyTable } from "./key_table.ts";
import {
  ENTRIES_PER_KEY_MAX,
  ENTRY_LAST_BIT,
  ENTRY_ROW,
  ENTRY_ROW_BYTES,
} from "./literal_layout.ts";

/** How grams of literals are taken. */
export interface GramShape {
  /** Bytes of a gram. */
  readonly bytes: number;
  /** Grams side by side that a literal is found by: one for each way that a sampled text may lie. */
  readonly run: number;
  /** Whether the filter has a bit or a byte for each value: a byte is quicker, a bit smaller. */
  readonly filter: "bits" | "bytes";
  /** Hash of the gram at a place. */
  readonly hash: (text: Uint8Array, at: number) => number;
}

/** A text that is to be found anywhere. */
export interface GramText {
  readonly text: Uint8Array;
  readonly group: number;
}

/** A table of grams, and the texts that it does not take. */
export interface GramTable {
  readonly filter: Uint8Array;
  readonly filterBits: number;
  readonly keys: Uint8Array;
  readonly entries: Uint8Array;
  /** Groups whose grams all stand in too many literals. */
  readonly left: ReadonlySet<number>;
}

const COUNTERS_BITS = { min: 8, max: 18 } as const;
/** Counters for each gram, so that few share one. */
const COUNTERS_PER_GRAM = 8;
/** More than any gram is counted. */
const COUNT_MAX = 2 ** 32;
/** Places of the filter for each gram: of a text that has none of them one place in so many passes. */
const FILTER_PLACES_PER_GRAM = { bits: 64, bytes: 32 } as const;
const FILTER_BITS_MIN = 10;
const FILTER_BITS_MAX = { bits: 21, bytes: 17 } as const;

/**
 * Builds the table of grams: each literal is found by a run of grams that few others have.
 *
 * @param texts Distinct texts, each long enough for a run.
 * @param shape Bytes of a gram, and grams of a run.
 * @returns The table; empty for no texts.
 */
export function gramTable(texts: readonly GramText[], shape: GramShape): GramTable {
  const counters = countGrams(texts, shape);
  const byGram = new Map<number, { readonly group: number; readonly offset: number }[]>();
  const left = new Set<number>();
  for (const { text, group } of texts) {
    const start = rarestRun(text, counters, shape);
    const grams = Array.from({ length: shape.run }, (_, i) => shape.hash(text, start + i));
    const lists = grams.map((gram) => byGram.get(gram));
    if (lists.some((list) => list !== undefined && list.length >= ENTRIES_PER_KEY_MAX)) {
      left.add(group);
      continue;
    }
    grams.forEach((gram, i) => {
      const entry = { group, offset: start + i };
      const list = byGram.get(gram);
      if (list === undefined) byGram.set(gram, [entry]);
      else list.push(entry);
    });
  }
  return { ...encode(byGram, shape), left };
}

/** How often each gram occurs, by some bits of its hash. */
function countGrams(texts: readonly GramText[], { bytes, hash }: GramShape): Uint32Array {
  const grams = texts.reduce((sum, { text }) => sum + text.length, 0);
  const wanted = Math.ceil(Math.log2(grams * COUNTERS_PER_GRAM + 1));
  const bits = Math.min(Math.max(wanted, COUNTERS_BITS.min), COUNTERS_BITS.max);
  const counters = new Uint32Array(2 ** bits);
  for (const { text } of texts) {
    for (let at = 0; at + bytes <= text.length; at++) {
      const place = hash(text, at) & (counters.length - 1);
      counters[place] = (counters[place] ?? 0) + 1;
    }
  }
  return counters;
}

/** Start of the run whose most frequent gram is rarest; of equals, the one with fewest in all. */
function rarestRun(
  text: Uint8Array,
  counters: Uint32Array,
  { bytes, run, hash }: GramShape,
): number {
  let best = 0;
  let bestCost = Infinity;
  const counts = Array.from(
    { length: text.length - bytes + 1 },
    (_, at) => counters[hash(text, at) & (counters.length - 1)] ?? 0,
  );
  for (let start = 0; start + run <= counts.length; start++) {
    let [most, sum] = [0, 0];
    for (let i = start; i < start + run; i++) {
      const count = counts[i] ?? 0;
      most = Math.max(most, count);
      sum += count;
    }
    const cost = most * COUNT_MAX + sum;
    if (cost < bestCost) [best, bestCost] = [start, cost];
  }
  return best;
}

function encode(
  byGram: ReadonlyMap<number, readonly { readonly group: number; readonly offset: number }[]>,
  { filter: kind }: GramShape,
): Omit<GramTable, "left"> {
  const empty = new Uint8Array(0);
  if (byGram.size === 0) return { filter: empty, filterBits: 0, keys: empty, entries: empty };
  const wanted = Math.ceil(Math.log2(byGram.size * FILTER_PLACES_PER_GRAM[kind]));
  const filterBits = Math.min(Math.max(wanted, FILTER_BITS_MIN), FILTER_BITS_MAX[kind]);
  const filter = new Uint8Array(2 ** filterBits / (kind === "bits" ? 8 : 1));
  const count = [...byGram.values()].reduce((sum, list) => sum + list.length, 0);
  const entries = new Uint8Array(count * ENTRY_ROW_BYTES);
  const view = new DataView(entries.buffer);
  const rows: (readonly [number, number])[] = [];
  let next = 0;
  for (const [gram, list] of byGram) {
    const place = gram >>> (32 - filterBits);
    if (kind === "bytes") filter[place] = 1;
    else filter[place >> 3] = (filter[place >> 3] ?? 0) | 1 << (place & 7);
    rows.push([gram, next]);
    list.forEach(({ group, offset }, i) => {
      const last = i === list.length - 1 ? ENTRY_LAST_BIT : 0;
      view.setUint32(next * ENTRY_ROW_BYTES + ENTRY_ROW.group, (group | last) >>> 0, true);
      view.setUint32(next * ENTRY_ROW_BYTES + ENTRY_ROW.offset, offset, true);
      next++;
    });
  }
  return { filter, filterBits, keys: keyTable(rows), entries };
}
