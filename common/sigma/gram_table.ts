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
  /** Texts that it takes, and where in each its run starts. */
  readonly taken: readonly { readonly text: Uint8Array; readonly offset: number }[];
  /** Groups whose grams all stand in too many literals. */
  readonly left: ReadonlySet<number>;
}

const COUNTERS_BITS = { min: 8, max: 18 } as const;
/** Counters for each gram, so that few share one. */
const COUNTERS_PER_GRAM = 8;
/** More than any gram is counted. */
const COUNT_MAX = 2 ** 32;
/** Places of the filter for each gram: of a text that has none of them one place in so many passes. */
const FILTER_PLACES_PER_GRAM = 64;
const FILTER_BITS = { min: 10, max: 21 } as const;
/** Bytes at the end of a literal that its entries have. */
const TAIL_BYTES = 4;

/**
 * Builds the table of grams: each literal is found by a run of grams that few others have.
 *
 * @param texts Distinct texts, each long enough for a run.
 * @param shape Bytes of a gram, and grams of a run.
 * @returns The table; empty for no texts.
 */
export function gramTable(texts: readonly GramText[], shape: GramShape): GramTable {
  const { hashes, starts } = hashGrams(texts, shape);
  const counts = countGrams(hashes);
  const lists = new GramLists();
  const left = new Set<number>();
  const taken: { readonly text: Uint8Array; readonly offset: number }[] = [];
  texts.forEach(({ group, text }, i) => {
    const [from = 0, to = 0] = [starts[i], starts[i + 1]];
    const offset = rarestRun(counts.subarray(from, to), shape.run);
    const grams = hashes.subarray(from + offset, from + offset + shape.run);
    if (lists.add(grams, { group, offset, text })) taken.push({ text, offset });
    else left.add(group);
  });
  return { ...lists.encode(), taken, left };
}

/** Hashes of all grams, text behind text, and where each text's begin; and where the last end. */
function hashGrams(
  texts: readonly GramText[],
  { bytes, hash }: GramShape,
): { readonly hashes: Uint32Array; readonly starts: Uint32Array } {
  const starts = new Uint32Array(texts.length + 1);
  let end = 0;
  texts.forEach(({ text }, i) => starts[i + 1] = end += text.length - bytes + 1);
  const hashes = new Uint32Array(end);
  let next = 0;
  for (const { text } of texts) {
    for (let at = 0; at + bytes <= text.length; at++) hashes[next++] = hash(text, at);
  }
  return { hashes, starts };
}

/** How often each gram occurs, by some bits of its hash. */
function countGrams(hashes: Uint32Array): Uint32Array {
  const wanted = Math.ceil(Math.log2(hashes.length * COUNTERS_PER_GRAM + 1));
  const bits = Math.min(Math.max(wanted, COUNTERS_BITS.min), COUNTERS_BITS.max);
  const counters = new Uint32Array(2 ** bits);
  const mask = counters.length - 1;
  for (const hash of hashes) counters[hash & mask] = (counters[hash & mask] ?? 0) + 1;
  return hashes.map((hash) => counters[hash & mask] ?? 0);
}

/** Start of the run whose most frequent gram is rarest; of equals, the one with fewest in all. */
function rarestRun(counts: Uint32Array, run: number): number {
  let best = 0;
  let bestCost = Infinity;
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

/** The last bytes of a text as a number; 0 for one that has fewer. */
function tailOf(text: Uint8Array): number {
  if (text.length < TAIL_BYTES) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = text.subarray(-TAIL_BYTES);
  return (a | b << 8 | c << 16 | d << 24) >>> 0;
}

/** No entry. */
const END = -1;

/** For each gram the places where it stands in literals, as a chain of entries. */
class GramLists {
  readonly #listByGram = new Map<number, number>();
  readonly #lists: { readonly gram: number; readonly first: number; last: number; size: number }[] =
    [];
  readonly #groups: number[] = [];
  readonly #offsets: number[] = [];
  readonly #texts: Uint8Array[] = [];
  readonly #next: number[] = [];

  /** Takes the grams of a text from an offset on; false when one of them has too many texts. */
  add(
    grams: Uint32Array,
    { group, offset, text }: {
      readonly group: number;
      readonly offset: number;
      readonly text: Uint8Array;
    },
  ): boolean {
    for (const gram of grams) {
      const list = this.#lists[this.#listByGram.get(gram) ?? END];
      if (list !== undefined && list.size >= ENTRIES_PER_KEY_MAX) return false;
    }
    grams.forEach((gram, i) => {
      const entry = this.#groups.push(group) - 1;
      this.#offsets.push(offset + i);
      this.#texts.push(text);
      this.#next.push(END);
      const number = this.#listByGram.get(gram);
      const list = number === undefined ? undefined : this.#lists[number];
      if (list === undefined) {
        this.#listByGram.set(
          gram,
          this.#lists.push({ gram, first: entry, last: entry, size: 1 }) - 1,
        );
      } else {
        this.#next[list.last] = entry;
        list.last = entry;
        list.size++;
      }
    });
    return true;
  }

  encode(): Omit<GramTable, "left" | "taken"> {
    const empty = new Uint8Array(0);
    const grams = this.#lists.length;
    if (grams === 0) return { filter: empty, filterBits: 0, keys: empty, entries: empty };
    const wanted = Math.ceil(Math.log2(grams * FILTER_PLACES_PER_GRAM));
    const filterBits = Math.min(Math.max(wanted, FILTER_BITS.min), FILTER_BITS.max);
    const filter = new Uint8Array(2 ** filterBits / 8);
    const entries = new Uint8Array(this.#groups.length * ENTRY_ROW_BYTES);
    const view = new DataView(entries.buffer);
    const keys = new Uint32Array(grams);
    const firsts = new Uint32Array(grams);
    let row = 0;
    this.#lists.forEach(({ gram, first }, i) => {
      const place = gram >>> (32 - filterBits);
      filter[place >> 3] = (filter[place >> 3] ?? 0) | 1 << (place & 7);
      keys[i] = gram;
      firsts[i] = row;
      for (let entry = first; entry !== END; entry = this.#next[entry] ?? END) {
        const last = this.#next[entry] === END ? ENTRY_LAST_BIT : 0;
        const at = row++ * ENTRY_ROW_BYTES;
        view.setUint32(at + ENTRY_ROW.group, ((this.#groups[entry] ?? 0) | last) >>> 0, true);
        view.setUint32(at + ENTRY_ROW.offset, this.#offsets[entry] ?? 0, true);
        const text = this.#texts[entry] ?? new Uint8Array(0);
        view.setUint32(at + ENTRY_ROW.length, text.length, true);
        view.setUint32(at + ENTRY_ROW.tail, tailOf(text), true);
      }
    });
    return { filter, filterBits, keys: keyTable(keys, firsts), entries };
  }
}
