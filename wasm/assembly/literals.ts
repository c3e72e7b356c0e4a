// Literals of one field in a value (specs/literals.md). The value is folded once; texts that stand at
// its ends are looked up by their hash, those that may stand anywhere by grams: 6 bytes at every
// fourth place for literals of 9 bytes and more, 3 and 4 bytes at every place for shorter ones.

import {
  ANCHOR_BYTES,
  ATOM_FLAGS_CASED,
  ATOM_ROW_BYTES,
  ATOM_ROW_FLAGS,
  ATOM_ROW_TEXT,
  ENTRY_LAST_BIT,
  ENTRY_ROW_BYTES,
  ENTRY_ROW_LENGTH,
  ENTRY_ROW_OFFSET,
  ENTRY_ROW_TAIL,
  EQUALS_BYTES_MAX,
  GRAMS_ENTRIES,
  GRAMS_FILTER,
  GRAMS_FILTER_BITS,
  GRAMS_KEY_COUNT,
  GRAMS_KEYS,
  GROUP_ROW_BYTES,
  GROUP_ROW_COUNT,
  GROUP_ROW_FIRST,
  GROUP_ROW_LENGTH,
  GROUP_ROW_TEXT,
  KEY_ROW_BYTES,
  KEY_ROW_GROUP,
  LITERAL_KINDS_EQUALS,
  LITERAL_KINDS_PREFIX,
  LITERAL_KINDS_SHORT,
  LITERAL_KINDS_SUFFIX,
  LITERALS_DENSE,
  LITERALS_ENDS,
  LITERALS_ENDS_BITS,
  LITERALS_FIRSTS,
  LITERALS_FIRSTS_BITS,
  LITERALS_GROUPS,
  LITERALS_KEY_COUNT,
  LITERALS_KEYS,
  LITERALS_KINDS,
  LITERALS_MEMBERS,
  LITERALS_ONES,
  LITERALS_PAIRS,
  LITERALS_PREFIX_BITS,
  LITERALS_PREFIX_LENGTHS,
  LITERALS_SAMPLED,
  LITERALS_STARTS,
  LITERALS_STARTS_BITS,
  LITERALS_SUFFIX_BITS,
  LITERALS_SUFFIX_LENGTHS,
  LITERALS_TEXTS,
  LITERALS_TRIPLES,
  SAMPLED_GRAM_BYTES,
  SAMPLED_STEP,
  SHORT_ANCHOR_LENGTHS,
  SHORT_ANCHORS_PREFIX,
  SHORT_ANCHORS_SUFFIX,
  SHORT_KEYS_ONE,
  SHORT_KEYS_TWO,
  TRIPLE_BYTES,
} from "../../out/gen/image";
import { members_of } from "./byte_set";
import { fold_value, same_bytes, same_byte } from "./fold";
import { atoms, texts } from "./image";
import {
  DENSE_MASK,
  first_slot,
  hash_begin,
  hash_dense_gram,
  hash_end,
  hash_sampled_gram,
  hash_short,
  hash_word,
  pair_index,
  TRIPLE_MASK,
} from "./literal_hash";
import { mark_atom } from "./marks";
import { FOLDED, SHORTS_SEEN, SHORTS_SEEN_BYTES } from "./memory";

/** The value as it is written, and its length. */
let written: usize = 0;
let value_bytes: u32 = 0;
/** Parts of the block that every find needs. */
let groups: usize = 0;
let members: usize = 0;
let literal_texts: usize = 0;

/** Whether an atom's own text stands at a place, letters as they are written. */
function is_as_written(row: usize, place: usize, length: u32): bool {
  const text: usize = texts + <usize> load<u32>(row, ATOM_ROW_TEXT);
  for (let i: usize = 0; i < <usize> length; i++) {
    if (<u32> load<u8>(text + i) != same_byte(load<u8>(place + i))) return false;
  }
  return true;
}

/** Whether a cased atom was passed over: its text may stand elsewhere as it is to be. */
let is_written_otherwise: bool = false;

/** Marks the atoms of a group whose text stands at `start`. */
function mark_group(group: usize, start: u32): void {
  const length: u32 = load<u32>(group, GROUP_ROW_LENGTH);
  let at: usize = members + (<usize> load<u32>(group, GROUP_ROW_FIRST) << 2);
  const end: usize = at + (<usize> load<u32>(group, GROUP_ROW_COUNT) << 2);
  for (; at < end; at += 4) {
    const atom: u32 = load<u32>(at);
    const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
    const cased: bool = (load<u32>(row, ATOM_ROW_FLAGS) & ATOM_FLAGS_CASED) != 0;
    if (cased && !is_as_written(row, written + <usize> start, length)) is_written_otherwise = true;
    else mark_atom(atom);
  }
}

@inline function group_at(number: u32): usize {
  return groups + <usize> (number * GROUP_ROW_BYTES);
}

/** Marks a group when its text stands at `start` of the value. */
function try_group(number: u32, start: u32): void {
  const group: usize = group_at(number);
  const length: u32 = load<u32>(group, GROUP_ROW_LENGTH);
  if (start > value_bytes || length > value_bytes - start) return;
  const text: usize = literal_texts + <usize> load<u32>(group, GROUP_ROW_TEXT);
  if (same_bytes(text, FOLDED + <usize> start, length)) mark_group(group, start);
}

/** Marks the groups of a key that stand where their kind has to. */
function probe(block: usize, key: u32, kind: u32, start: u32): void {
  const keys: usize = block + <usize> load<u32>(block, LITERALS_KEYS);
  const mask: u32 = load<u32>(block, LITERALS_KEY_COUNT) - 1;
  for (let slot: u32 = first_slot(key, mask);; slot = (slot + 1) & mask) {
    const row: usize = keys + <usize> (slot * KEY_ROW_BYTES);
    const found: u32 = load<u32>(row, KEY_ROW_GROUP);
    if (found == 0) return;
    if (load<u32>(row) != key) continue;
    const length: u32 = load<u32>(group_at(found - 1), GROUP_ROW_LENGTH);
    if (kind == LITERAL_KINDS_EQUALS && length != value_bytes) continue;
    if (length > value_bytes) continue;
    try_group(found - 1, kind == LITERAL_KINDS_SUFFIX ? value_bytes - length : start);
  }
}

/** The first `bytes` (0 to 3) of the bytes at a place, as a number. */
@inline function head(place: usize, bytes: u32): u32 {
  return load<u32>(place) & ((<u32> 1 << (bytes << 3)) - 1);
}

/** Looks up the prefixes of these lengths; the hash of one goes on where that of the last was. */
function probe_prefixes(block: usize, lengths: u64): void {
  let hash: u32 = hash_begin(LITERAL_KINDS_PREFIX);
  let taken: u32 = 0;
  for (; lengths != 0; lengths &= lengths - 1) {
    const length: u32 = <u32> ctz<u64>(lengths);
    if (length > value_bytes) return;
    for (; length - taken >= 4; taken += 4) {
      hash = hash_word(hash, load<u32>(FOLDED + <usize> taken));
    }
    const key: u32 = hash_end(hash, head(FOLDED + <usize> taken, length - taken), length);
    probe(block, key, LITERAL_KINDS_PREFIX, 0);
  }
}

/** The same of suffixes, from the end of the value towards its start. */
function probe_suffixes(block: usize, lengths: u64): void {
  const end: usize = FOLDED + <usize> value_bytes;
  let hash: u32 = hash_begin(LITERAL_KINDS_SUFFIX);
  let taken: u32 = 0;
  for (; lengths != 0; lengths &= lengths - 1) {
    const length: u32 = <u32> ctz<u64>(lengths);
    if (length > value_bytes) return;
    for (; length - taken >= 4; taken += 4) {
      hash = hash_word(hash, load<u32>(end - <usize> taken - 4));
    }
    const key: u32 = hash_end(hash, head(end - <usize> length, length - taken), length);
    probe(block, key, LITERAL_KINDS_SUFFIX, 0);
  }
}

/** A text that is the whole value, by its last bytes and its length. */
function probe_equals(block: usize): void {
  const end: usize = FOLDED + <usize> value_bytes;
  const bytes: u32 = min<u32>(value_bytes, EQUALS_BYTES_MAX);
  let hash: u32 = hash_begin(LITERAL_KINDS_EQUALS);
  let taken: u32 = 0;
  for (; bytes - taken >= 4; taken += 4) {
    hash = hash_word(hash, load<u32>(end - <usize> taken - 4));
  }
  const tail: u32 = head(end - <usize> bytes, bytes - taken);
  probe(block, hash_end(hash, tail, value_bytes), LITERAL_KINDS_EQUALS, 0);
}

@inline function passes(filter: usize, bit: u32): bool {
  return ((<u32> load<u8>(filter + <usize> (bit >> 3)) >> (bit & 7)) & 1) != 0;
}

@inline function lengths_of(block: usize, table: u32, bits: u32, pair: u32): u64 {
  const index: u32 = pair_index(pair, load<u32>(block + <usize> bits));
  return load<u64>(block + <usize> load<u32>(block + <usize> table) + (<usize> index << 3));
}

/** Whether a literal of ANCHOR_BYTES and more may have those that an end of the value has. */
@inline function anchor_passes(block: usize, filter: u32, bits: u32, place: usize): bool {
  const size: u32 = load<u32>(block + <usize> bits);
  if (size == 0) return false;
  const bit: u32 = hash_dense_gram(place, 0, DENSE_MASK) >> (32 - size);
  return passes(block + <usize> load<u32>(block + <usize> filter), bit);
}

/** Texts that the value starts with. */
function find_starts(block: usize, kinds: u32): void {
  const may_be_long: bool = value_bytes >= ANCHOR_BYTES &&
    anchor_passes(block, LITERALS_STARTS, LITERALS_STARTS_BITS, FOLDED);
  if (!may_be_long && (kinds & SHORT_ANCHORS_PREFIX) == 0) return;
  const pair: u32 = <u32> load<u16>(FOLDED);
  const lengths: u64 = lengths_of(block, LITERALS_PREFIX_LENGTHS, LITERALS_PREFIX_BITS, pair);
  probe_prefixes(block, may_be_long ? lengths : lengths & SHORT_ANCHOR_LENGTHS);
}

/** Texts that the value ends with, or that are all of it. */
function find_ends(block: usize, kinds: u32): void {
  const end: usize = FOLDED + <usize> value_bytes;
  const may_be_long: bool = value_bytes >= ANCHOR_BYTES &&
    anchor_passes(block, LITERALS_ENDS, LITERALS_ENDS_BITS, end - ANCHOR_BYTES);
  if ((kinds & LITERAL_KINDS_EQUALS) != 0 && (may_be_long || value_bytes < ANCHOR_BYTES)) {
    probe_equals(block);
  }
  if ((kinds & LITERAL_KINDS_SUFFIX) == 0) return;
  if (!may_be_long && (kinds & SHORT_ANCHORS_SUFFIX) == 0) return;
  const before: u32 = value_bytes == 1 ? 0 : <u32> load<u8>(end - 2);
  const pair: u32 = before | (<u32> load<u8>(end - 1) << 8);
  const lengths: u64 = lengths_of(block, LITERALS_SUFFIX_LENGTHS, LITERALS_SUFFIX_BITS, pair);
  probe_suffixes(block, may_be_long ? lengths : lengths & SHORT_ANCHOR_LENGTHS);
}

/** Texts that stand at an end of the value, or are all of it. */
function find_anchored(block: usize, kinds: u32): void {
  if (value_bytes == 0) return;
  if ((kinds & LITERAL_KINDS_PREFIX) != 0) find_starts(block, kinds);
  if ((kinds & (LITERAL_KINDS_SUFFIX | LITERAL_KINDS_EQUALS)) != 0) find_ends(block, kinds);
}

/** Counts the values with short literals; one that was found is not looked up in a value again. */
let shorts_value: u32 = 0;

function shorts_next(): void {
  shorts_value++;
  if (shorts_value < 256) return;
  memory.fill(SHORTS_SEEN, 0, SHORTS_SEEN_BYTES);
  shorts_value = 1;
}

/** Looks up a short literal that stands at a place, unless its atoms are all marked. */
function find_short(block: usize, bytes: u32, seen: usize, place: u32): void {
  if (<u32> load<u8>(seen) == shorts_value) return;
  is_written_otherwise = false;
  probe(block, hash_short(bytes), LITERAL_KINDS_SHORT, place);
  if (!is_written_otherwise) store<u8>(seen, <u8> shorts_value);
}

/** Literals of one byte. */
function find_ones(block: usize, set: usize): void {
  for (let i: u32 = 0; i < value_bytes; i += 16) {
    let places: u32 = members_of(set, v128.load(FOLDED + <usize> i));
    for (; places != 0; places &= places - 1) {
      const place: u32 = i + ctz<u32>(places);
      const byte: u32 = <u32> load<u8>(FOLDED + <usize> place);
      if (place >= value_bytes) return;
      find_short(block, SHORT_KEYS_ONE | byte, SHORTS_SEEN + 0x1_0000 + <usize> byte, place);
    }
  }
}

@inline function pair_bit(pairs: usize, at: usize, offset: u32): u32 {
  const pair: u32 = <u32> load<u16>(at + <usize> offset);
  return (<u32> load<u8>(pairs + <usize> (pair >> 3)) >> (pair & 7) & 1) << offset;
}

/** Literals of two bytes, eight places at a time. */
function find_pairs(block: usize, pairs: usize): void {
  for (let i: u32 = 0; i + 1 < value_bytes; i += 8) {
    const at: usize = FOLDED + <usize> i;
    let places: u32 = pair_bit(pairs, at, 0) | pair_bit(pairs, at, 1) | pair_bit(pairs, at, 2) |
      pair_bit(pairs, at, 3) | pair_bit(pairs, at, 4) | pair_bit(pairs, at, 5) |
      pair_bit(pairs, at, 6) | pair_bit(pairs, at, 7);
    for (; places != 0; places &= places - 1) {
      const place: u32 = i + ctz<u32>(places);
      const pair: u32 = <u32> load<u16>(FOLDED + <usize> place);
      if (place + 1 >= value_bytes) return;
      find_short(block, SHORT_KEYS_TWO | pair, SHORTS_SEEN + <usize> pair, place);
    }
  }
}

function find_shorts(block: usize): void {
  shorts_next();
  const ones: u32 = load<u32>(block, LITERALS_ONES);
  if (ones != 0) find_ones(block, block + <usize> ones);
  const pairs: u32 = load<u32>(block, LITERALS_PAIRS);
  if (pairs != 0) find_pairs(block, block + <usize> pairs);
}

/** Whether the literal of an entry may stand at `start`: its end says so for most that do not. */
@inline function ends_like(entry: usize, start: u32): bool {
  const length: u32 = load<u32>(entry, ENTRY_ROW_LENGTH);
  if (start + length > value_bytes) return false;
  const tail: usize = FOLDED + <usize> (start + length - 4);
  return length < 4 || load<u32>(tail) == load<u32>(entry, ENTRY_ROW_TAIL);
}

/** Marks the literals that have a gram at a place. */
function find_gram(block: usize, table: usize, key: u32, place: u32): void {
  const keys: usize = block + <usize> load<u32>(table, GRAMS_KEYS);
  const mask: u32 = load<u32>(table, GRAMS_KEY_COUNT) - 1;
  let row: usize = 0;
  for (let slot: u32 = first_slot(key, mask);; slot = (slot + 1) & mask) {
    row = keys + <usize> (slot * KEY_ROW_BYTES);
    if (load<u32>(row, KEY_ROW_GROUP) == 0) return;
    if (load<u32>(row) == key) break;
  }
  const entries: usize = block + <usize> load<u32>(table, GRAMS_ENTRIES);
  let entry: usize = entries + <usize> ((load<u32>(row, KEY_ROW_GROUP) - 1) * ENTRY_ROW_BYTES);
  for (;; entry += <usize> ENTRY_ROW_BYTES) {
    const group: u32 = load<u32>(entry);
    const offset: u32 = load<u32>(entry, ENTRY_ROW_OFFSET);
    if (place >= offset && ends_like(entry, place - offset)) {
      try_group(group & ~ENTRY_LAST_BIT, place - offset);
    }
    if ((group & ENTRY_LAST_BIT) != 0) return;
  }
}

/** Whether a sampled gram may stand `step` steps on, as a bit of that number. */
@inline function sampled_bit(filter: usize, shift: u32, at: usize, step: u32): u32 {
  const place: u32 = hash_sampled_gram(at + <usize> (step * SAMPLED_STEP)) >> shift;
  return (<u32> load<u8>(filter + <usize> (place >> 3)) >> (place & 7) & 1) << step;
}

/** Grams at every fourth place, eight of them at a time. */
function find_sampled(block: usize, table: usize): void {
  const filter: usize = block + <usize> load<u32>(table, GRAMS_FILTER);
  const shift: u32 = 32 - load<u32>(table, GRAMS_FILTER_BITS);
  const end: usize = FOLDED + <usize> value_bytes;
  for (let at: usize = FOLDED; at + SAMPLED_GRAM_BYTES <= end; at += 8 * SAMPLED_STEP) {
    let steps: u32 = sampled_bit(filter, shift, at, 0) | sampled_bit(filter, shift, at, 1) |
      sampled_bit(filter, shift, at, 2) | sampled_bit(filter, shift, at, 3) |
      sampled_bit(filter, shift, at, 4) | sampled_bit(filter, shift, at, 5) |
      sampled_bit(filter, shift, at, 6) | sampled_bit(filter, shift, at, 7);
    for (; steps != 0; steps &= steps - 1) {
      const place: usize = at + <usize> (ctz<u32>(steps) * SAMPLED_STEP);
      find_gram(block, table, hash_sampled_gram(place), <u32> (place - FOLDED));
    }
  }
}

/** What the 3 bytes `offset` bytes on may be (FIRSTS), at twice that bit. */
@inline function firsts_at(firsts: usize, shift: u32, at: usize, offset: usize): u32 {
  const place: u32 = hash_dense_gram(at, offset, TRIPLE_MASK) >> shift;
  return <u32> load<u8>(firsts + <usize> place) << <u32> (offset << 1);
}

/** Literals of 3 to 8 bytes: 3 bytes at every place, eight places at a time, say whether to look. */
function find_firsts(block: usize, bits: u32): void {
  const firsts: usize = block + <usize> load<u32>(block, LITERALS_FIRSTS);
  const shift: u32 = 32 - bits;
  const dense: usize = block + <usize> LITERALS_DENSE;
  const filter: usize = block + <usize> load<u32>(dense, GRAMS_FILTER);
  const dense_shift: u32 = 32 - load<u32>(dense, GRAMS_FILTER_BITS);
  const triples: usize = block + <usize> LITERALS_TRIPLES;
  // A bit a place, of what there is a table of.
  const wanted: u32 = (load<u32>(triples, GRAMS_KEY_COUNT) != 0 ? 0x5555 : 0) |
    (load<u32>(dense, GRAMS_KEY_COUNT) != 0 ? 0xaaaa : 0);
  for (let i: u32 = 0; i + TRIPLE_BYTES <= value_bytes; i += 8) {
    const at: usize = FOLDED + <usize> i;
    let found: u32 = firsts_at(firsts, shift, at, 0) | firsts_at(firsts, shift, at, 1) |
      firsts_at(firsts, shift, at, 2) | firsts_at(firsts, shift, at, 3) |
      firsts_at(firsts, shift, at, 4) | firsts_at(firsts, shift, at, 5) |
      firsts_at(firsts, shift, at, 6) | firsts_at(firsts, shift, at, 7);
    found &= wanted;
    for (; found != 0; found &= found - 1) {
      const bit: u32 = ctz<u32>(found);
      const place: u32 = bit >> 1;
      if ((bit & 1) == 0) {
        const key: u32 = hash_dense_gram(at, <usize> place, TRIPLE_MASK);
        find_gram(block, triples, key, i + place);
        continue;
      }
      const key: u32 = hash_dense_gram(at, <usize> place, DENSE_MASK);
      if (passes(filter, key >> dense_shift)) find_gram(block, dense, key, i + place);
    }
  }
}

/** Marks the atoms of a checked block whose literals stand in a value of 64 KiB at most. */
export function find_literals(block: usize, pointer: usize, length: u32): void {
  written = pointer;
  value_bytes = length;
  groups = block + <usize> load<u32>(block, LITERALS_GROUPS);
  members = block + <usize> load<u32>(block, LITERALS_MEMBERS);
  literal_texts = block + <usize> load<u32>(block, LITERALS_TEXTS);
  fold_value(pointer, length);
  if (load<u32>(block, LITERALS_KEY_COUNT) != 0) {
    const kinds: u32 = load<u32>(block, LITERALS_KINDS);
    find_anchored(block, kinds);
    if ((kinds & LITERAL_KINDS_SHORT) != 0) find_shorts(block);
  }
  const sampled: usize = block + <usize> LITERALS_SAMPLED;
  if (load<u32>(sampled, GRAMS_KEY_COUNT) != 0) find_sampled(block, sampled);
  const firsts_bits: u32 = load<u32>(block, LITERALS_FIRSTS_BITS);
  if (firsts_bits != 0) find_firsts(block, firsts_bits);
}
