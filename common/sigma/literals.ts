import { byteSet } from "./byte_set.ts";
import { type GramShape, type GramTable, gramTable, type GramText } from "./gram_table.ts";
import { keyTable } from "./key_table.ts";
import {
  hashAnchored,
  hashDenseGram,
  hashSampledGram,
  hashShort,
  hashTriple,
  pairIndex,
} from "./literal_hash.ts";
import {
  ANCHOR_BYTES,
  ENTRIES_PER_KEY_MAX,
  ENTRY_ROW_BYTES,
  EQUALS_BYTES_MAX,
  FIRSTS,
  GRAM_BYTES,
  GRAMS,
  GROUP_ROW,
  GROUP_ROW_BYTES,
  KEYED_BYTES_MAX,
  LITERAL_KINDS,
  LITERALS,
  LITERALS_HEADER_BYTES,
  PAIRS_BYTES,
  SAMPLED_BYTES_MIN,
  SAMPLED_GRAM_BYTES,
  SAMPLED_STEP,
  SHORT_ANCHORS,
  SHORT_KEYS,
  TRIPLE_BYTES,
} from "./literal_layout.ts";

/** A literal, how it is to be found, and the atom that it belongs to. */
export interface Literal {
  readonly op: LiteralOp;
  /** At least one byte, ASCII case folded. */
  readonly text: Uint8Array;
  /** The same as characters, where it is known. */
  readonly chars?: string;
  readonly atom: number;
}

/** Where in a value a literal is to stand. */
export type LiteralOp = "equals" | "startswith" | "endswith" | "contains";

/** The literals of a field, encoded. */
export interface LiteralBlock {
  /** In the layout of `LITERALS`, a multiple of 8 bytes long. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Literals that share all of their keys with too many others: they need an automaton. */
  readonly left: readonly Literal[];
}

/** Distinct texts of one kind. */
interface Group {
  readonly op: LiteralOp;
  readonly text: Uint8Array;
  readonly literals: Literal[];
}

const KEYED: Readonly<Record<Exclude<LiteralOp, "contains">, number>> = {
  equals: LITERAL_KINDS.equals,
  startswith: LITERAL_KINDS.prefix,
  endswith: LITERAL_KINDS.suffix,
};
const SAMPLED: GramShape = {
  bytes: SAMPLED_GRAM_BYTES,
  run: SAMPLED_STEP,
  hash: hashSampledGram,
};
const DENSE: GramShape = { bytes: GRAM_BYTES, run: 1, hash: hashDenseGram };
const TRIPLES: GramShape = { bytes: TRIPLE_BYTES, run: 1, hash: hashTriple };
/** Places of an anchor filter for each literal, and bits of the hash. */
const ANCHOR_PLACES = 32;
const ANCHOR_BITS = { min: 10, max: 21 } as const;
/** The same of the table of first bytes: one byte a place. */
const FIRSTS_PLACES = 32;
const FIRSTS_BITS = { min: 12, max: 16 } as const;
/** Bits of the tables of lengths; their bytes fit in the first cache. */
const PAIR_BITS = { min: 4, max: 11 } as const;
const NO_BYTES = new Uint8Array(0);
const TEXT = new TextDecoder();

/**
 * Encodes the literals of one field for the engine.
 *
 * @param literals Literals; equal ones may belong to several atoms.
 * @returns The block, and what it cannot take.
 */
export function encodeLiterals(literals: readonly Literal[]): LiteralBlock {
  const groups = groupsOf(literals);
  const keyed = keyedRows(groups);
  const left = new Set(keyed.left);
  const containing = (from: number, below: number): GramText[] =>
    groups.flatMap(({ op, text }, group) =>
      op === "contains" && text.length >= from && text.length < below ? [{ text, group }] : []
    );
  const sampled = gramTable(containing(SAMPLED_BYTES_MIN, Infinity), SAMPLED);
  const dense = gramTable(containing(GRAM_BYTES, SAMPLED_BYTES_MIN), DENSE);
  const triples = gramTable(containing(TRIPLE_BYTES, GRAM_BYTES), TRIPLES);
  for (const table of [sampled, dense, triples]) for (const group of table.left) left.add(group);
  const block = new Block();
  block.groups(groups);
  block.place("keys", keyTable(keyed.hashes, keyed.numbers), "key_count", 8);
  const prefixes = groups.filter(({ op }) => op === "startswith");
  const suffixes = groups.filter(({ op }) => op === "endswith");
  const shortAnchors = (prefixes.some(isShortAnchor) ? SHORT_ANCHORS.prefix : 0) |
    (suffixes.some(isShortAnchor) ? SHORT_ANCHORS.suffix : 0);
  block.set(LITERALS.kinds, keyed.kinds | shortAnchors);
  block.lengths("prefix", prefixes);
  block.lengths("suffix", suffixes);
  block.anchors("starts", prefixes);
  block.anchors("ends", groups.filter(({ op }) => op === "endswith" || op === "equals"));
  block.shorts(groups.filter(isShort));
  block.grams(LITERALS.sampled, sampled);
  block.grams(LITERALS.dense, dense);
  block.grams(LITERALS.triples, { ...triples, filter: NO_BYTES, filterBits: 0 });
  block.firsts(triples, dense);
  return {
    bytes: block.bytes(),
    left: [...left].flatMap((group) => groups[group]?.literals ?? []),
  };
}

function isShort({ op, text }: Group): boolean {
  return op === "contains" && text.length < TRIPLE_BYTES;
}

function isShortAnchor({ text }: Group): boolean {
  return text.length < ANCHOR_BYTES;
}

function groupsOf(literals: readonly Literal[]): readonly Group[] {
  const byOp = new Map<LiteralOp, Map<string, Group>>();
  const all: Group[] = [];
  for (const literal of literals) {
    const { op, text, chars = TEXT.decode(text) } = literal;
    let groups = byOp.get(op);
    if (groups === undefined) byOp.set(op, groups = new Map());
    const known = groups.get(chars);
    if (known !== undefined) {
      known.literals.push(literal);
      continue;
    }
    const group = { op, text, literals: [literal] };
    groups.set(chars, group);
    all.push(group);
  }
  return all;
}

/** Key and group of all texts that are looked up whole. */
function keyedRows(groups: readonly Group[]): {
  readonly hashes: Uint32Array;
  readonly numbers: Uint32Array;
  readonly kinds: number;
  readonly left: readonly number[];
} {
  const hashes: number[] = [];
  const numbers: number[] = [];
  const counts = new Map<number, number>();
  const left: number[] = [];
  let kinds = 0;
  groups.forEach((group, number) => {
    const key = keyOf(group);
    if (key === undefined) return;
    const count = (counts.get(key.hash) ?? 0) + 1;
    counts.set(key.hash, count);
    kinds |= key.kind;
    if (count > ENTRIES_PER_KEY_MAX) left.push(number);
    else {
      hashes.push(key.hash);
      numbers.push(number);
    }
  });
  return { hashes: Uint32Array.from(hashes), numbers: Uint32Array.from(numbers), kinds, left };
}

function keyOf(group: Group): { readonly hash: number; readonly kind: number } | undefined {
  const { op, text } = group;
  if (op === "contains") {
    if (!isShort(group)) return undefined;
    const [first = 0, second] = text;
    const bytes = second === undefined
      ? SHORT_KEYS.one | first
      : SHORT_KEYS.two | first | second << 8;
    return { hash: hashShort(bytes), kind: LITERAL_KINDS.short };
  }
  const kind = KEYED[op];
  const isWhole = op === "equals";
  const bytes = Math.min(text.length, isWhole ? EQUALS_BYTES_MAX : KEYED_BYTES_MAX);
  const length = isWhole ? text.length : bytes;
  return { hash: hashAnchored(text, { kind, fromEnd: op !== "startswith", bytes, length }), kind };
}

/** The block in the making: its header, and its parts one behind the other. */
class Block {
  readonly #header = new DataView(new ArrayBuffer(LITERALS_HEADER_BYTES));
  readonly #parts: Uint8Array[] = [];
  #end = LITERALS_HEADER_BYTES;

  set(place: number, value: number): void {
    this.#header.setUint32(place, value, true);
  }

  /** Adds a part; its place, and how many rows it has, go to the header. */
  place(
    at: keyof typeof LITERALS,
    part: Uint8Array,
    count?: keyof typeof LITERALS,
    rowBytes = 1,
  ): void {
    this.set(LITERALS[at], this.#add(part));
    if (count !== undefined) this.set(LITERALS[count], part.length / rowBytes);
  }

  groups(groups: readonly Group[]): void {
    const rows = new DataView(new ArrayBuffer(groups.length * GROUP_ROW_BYTES));
    const members: number[] = [];
    const texts = new Uint8Array(groups.reduce((bytes, { text }) => bytes + text.length, 0));
    let at = 0;
    groups.forEach(({ text, literals }, i) => {
      const row = i * GROUP_ROW_BYTES;
      rows.setUint32(row + GROUP_ROW.text, at, true);
      rows.setUint32(row + GROUP_ROW.length, text.length, true);
      rows.setUint32(row + GROUP_ROW.first, members.length, true);
      rows.setUint32(row + GROUP_ROW.count, literals.length, true);
      texts.set(text, at);
      at += text.length;
      for (const { atom } of literals) members.push(atom);
    });
    const atoms = new DataView(new ArrayBuffer(members.length * 4));
    members.forEach((atom, i) => atoms.setUint32(i * 4, atom, true));
    this.place("groups", new Uint8Array(rows.buffer), "group_count", GROUP_ROW_BYTES);
    this.place("members", new Uint8Array(atoms.buffer), "member_count", 4);
    this.place("texts", texts, "text_bytes");
  }

  /** For each two bytes at an end of the value the lengths of the literals that have them there. */
  lengths(side: "prefix" | "suffix", groups: readonly Group[]): void {
    if (groups.length === 0) return;
    const wanted = Math.ceil(Math.log2(groups.length * 4));
    const bits = Math.min(Math.max(wanted, PAIR_BITS.min), PAIR_BITS.max);
    const table = new BigUint64Array(1 << bits);
    for (const { text } of groups) {
      const bit = 1n << BigInt(Math.min(text.length, KEYED_BYTES_MAX));
      for (const pair of pairsAt(side, text)) {
        const index = pairIndex(pair, bits);
        table[index] = (table[index] ?? 0n) | bit;
      }
    }
    this.place(`${side}_lengths`, new Uint8Array(table.buffer));
    this.set(LITERALS[`${side}_bits`], bits);
  }

  /** A filter of the bytes at an end of the literals that have enough of them. */
  anchors(side: "starts" | "ends", groups: readonly Group[]): void {
    const texts = groups.map(({ text }) => text).filter(({ length }) => length >= ANCHOR_BYTES);
    if (texts.length === 0) return;
    const wanted = Math.ceil(Math.log2(texts.length * ANCHOR_PLACES));
    const bits = Math.min(Math.max(wanted, ANCHOR_BITS.min), ANCHOR_BITS.max);
    const filter = new Uint8Array(2 ** bits / 8);
    for (const text of texts) {
      const at = side === "starts" ? 0 : text.length - ANCHOR_BYTES;
      const place = hashDenseGram(text, at) >>> (32 - bits);
      filter[place >> 3] = (filter[place >> 3] ?? 0) | 1 << (place & 7);
    }
    this.place(side, filter);
    this.set(LITERALS[`${side}_bits`], bits);
  }

  shorts(groups: readonly Group[]): void {
    const ones = groups.filter(({ text }) => text.length === 1);
    const pairs = groups.filter(({ text }) => text.length === 2);
    if (ones.length > 0) this.place("ones", byteSet(ones.map(({ text: [byte = 0] }) => byte)));
    if (pairs.length === 0) return;
    const bits = new Uint8Array(PAIRS_BYTES);
    for (const { text: [first = 0, second = 0] } of pairs) {
      const pair = first | second << 8;
      bits[pair >> 3] = (bits[pair >> 3] ?? 0) | 1 << (pair & 7);
    }
    this.place("pairs", bits);
  }

  /** What each three bytes may be. */
  firsts(triples: GramTable, dense: GramTable): void {
    const count = triples.taken.length + dense.taken.length;
    if (count === 0) return;
    const wanted = Math.ceil(Math.log2(count * FIRSTS_PLACES));
    const bits = Math.min(Math.max(wanted, FIRSTS_BITS.min), FIRSTS_BITS.max);
    const table = new Uint8Array(2 ** bits);
    for (const [of, { taken }] of [[FIRSTS.triple, triples], [FIRSTS.dense, dense]] as const) {
      for (const { text, offset } of taken) {
        const place = hashTriple(text, offset) >>> (32 - bits);
        table[place] = (table[place] ?? 0) | of;
      }
    }
    this.place("firsts", table);
    this.set(LITERALS.firsts_bits, bits);
  }

  grams(place: number, table: GramTable): void {
    if (table.keys.length === 0) return;
    this.set(place + GRAMS.filter, this.#add(table.filter));
    this.set(place + GRAMS.filter_bits, table.filterBits);
    this.set(place + GRAMS.keys, this.#add(table.keys));
    this.set(place + GRAMS.key_count, table.keys.length / 8);
    this.set(place + GRAMS.entries, this.#add(table.entries));
    this.set(place + GRAMS.entry_count, table.entries.length / ENTRY_ROW_BYTES);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    this.set(LITERALS.length, this.#end);
    const bytes = new Uint8Array(this.#end);
    bytes.set(new Uint8Array(this.#header.buffer));
    let at = LITERALS_HEADER_BYTES;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += aligned(part.length);
    }
    return bytes;
  }

  #add(part: Uint8Array): number {
    const at = this.#end;
    this.#parts.push(part);
    this.#end += aligned(part.length);
    return at;
  }
}

/** The two bytes at an end of a text; one byte alone may have any other beside it. */
function pairsAt(side: "prefix" | "suffix", text: Uint8Array): readonly number[] {
  const [first = 0, second] = side === "prefix" ? text : text.subarray(-2);
  if (second !== undefined) return [first | second << 8];
  const others = Array.from({ length: 256 }, (_, other) => other);
  return others.map((other) => side === "prefix" ? first | other << 8 : other | first << 8);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
