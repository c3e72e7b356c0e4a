// The check of a field's literals in a rule image: after it, a find tests no place and no number.

import {
  ATOM_ROW_BYTES,
  ATOM_ROW_TEXT_LENGTH,
  BYTE_SET_BYTES,
  ENTRY_LAST_BIT,
  ENTRY_ROW_BYTES,
  GRAMS_ENTRIES,
  GRAMS_ENTRY_COUNT,
  GRAMS_FILTER,
  GRAMS_FILTER_BITS,
  GRAMS_KEY_COUNT,
  GRAMS_KEYS,
  GROUP_ROW_BYTES,
  GROUP_ROW_COUNT,
  GROUP_ROW_FIRST,
  GROUP_ROW_LENGTH,
  GROUP_ROW_TEXT,
  IMAGE_HEADER_ATOMS,
  IMAGE_HEADER_BYTES,
  KEY_ROW_BYTES,
  KEY_ROW_GROUP,
  LITERAL_KINDS_PREFIX,
  LITERAL_KINDS_SUFFIX,
  LITERALS_DENSE,
  LITERALS_ENDS,
  LITERALS_ENDS_BITS,
  LITERALS_FIRSTS,
  LITERALS_FIRSTS_BITS,
  LITERALS_GROUP_COUNT,
  LITERALS_GROUPS,
  LITERALS_HEADER_BYTES,
  LITERALS_KEY_COUNT,
  LITERALS_KEYS,
  LITERALS_KINDS,
  LITERALS_LENGTH,
  LITERALS_MEMBER_COUNT,
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
  LITERALS_TEXT_BYTES,
  LITERALS_TEXTS,
  LITERALS_TRIPLES,
  PAIRS_BYTES,
} from "../../out/gen/image";

/** Most bits of a table's index. */
@inline const BITS_MAX: u32 = 27;

let block: usize = 0;
let room: u32 = 0;

@inline function number(place: u32): u32 {
  return load<u32>(block + <usize> place);
}

/** Whether `count` rows of `bytes` stand behind the header, aligned, within the block. */
function holds(offset: u32, count: u32, bytes: u32): bool {
  return offset % 8 == 0 && offset >= LITERALS_HEADER_BYTES &&
    <u64> offset + <u64> count * <u64> bytes <= <u64> room;
}

/** Whether a table of 2^bits rows holds. */
function table_holds(place: u32, bits: u32, row_bytes: u32): bool {
  return bits > 0 && bits <= BITS_MAX && holds(number(place), <u32> 1 << bits, row_bytes);
}

/** Whether a hash table may stand there. */
function keys_stand(offset: u32, count: u32): bool {
  return count != 0 && (count & (count - 1)) == 0 && holds(offset, count, KEY_ROW_BYTES);
}

/** Free slots of the table under check, so far. */
let free: u32 = 0;

/** Whether a slot leads to a row below `limit`; the last one: whether every search in it ends. */
function key_holds(offset: u32, slot: u32, count: u32, limit: u32): bool {
  const found: u32 = load<u32>(block + <usize> (offset + slot * KEY_ROW_BYTES), KEY_ROW_GROUP);
  if (slot == 0) free = 0;
  if (found == 0) free++;
  return found <= limit && (slot != count - 1 || free != 0);
}

/** Whether each member of a group is an atom with a text as long as the group's. */
function members_hold(group: usize, base: usize, atom_count: u32): bool {
  const length: u32 = load<u32>(group, GROUP_ROW_LENGTH);
  const first: u32 = load<u32>(group, GROUP_ROW_FIRST);
  const atoms: usize = base + <usize> load<u32>(base, IMAGE_HEADER_ATOMS);
  for (let i: u32 = 0; i < load<u32>(group, GROUP_ROW_COUNT); i++) {
    const atom: u32 = number(number(LITERALS_MEMBERS) + ((first + i) << 2));
    if (atom >= atom_count) return false;
    const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
    if (load<u32>(row, ATOM_ROW_TEXT_LENGTH) != length) return false;
  }
  return true;
}

function group_holds(index: u32, base: usize, atom_count: u32): bool {
  const group: usize = block + <usize> (number(LITERALS_GROUPS) + index * GROUP_ROW_BYTES);
  const text_end: u64 = <u64> load<u32>(group, GROUP_ROW_TEXT) +
    <u64> load<u32>(group, GROUP_ROW_LENGTH);
  const member_end: u64 = <u64> load<u32>(group, GROUP_ROW_FIRST) +
    <u64> load<u32>(group, GROUP_ROW_COUNT);
  return text_end <= <u64> number(LITERALS_TEXT_BYTES) &&
    member_end <= <u64> number(LITERALS_MEMBER_COUNT) && members_hold(group, base, atom_count);
}

/** Whether a filter of 2^bits bits holds; none at all does. */
function anchor_filter_holds(place: u32, bits: u32): bool {
  return bits == 0 || bits >= 4 && table_holds(place, bits - 3, 1);
}

function anchors_stand(): bool {
  if (!anchor_filter_holds(LITERALS_STARTS, number(LITERALS_STARTS_BITS))) return false;
  if (!anchor_filter_holds(LITERALS_ENDS, number(LITERALS_ENDS_BITS))) return false;
  if (number(LITERALS_KEY_COUNT) == 0) return true;
  if (!keys_stand(number(LITERALS_KEYS), number(LITERALS_KEY_COUNT))) return false;
  const kinds: u32 = number(LITERALS_KINDS);
  if ((kinds & LITERAL_KINDS_PREFIX) != 0) {
    if (!table_holds(LITERALS_PREFIX_LENGTHS, number(LITERALS_PREFIX_BITS), 8)) return false;
  }
  if ((kinds & LITERAL_KINDS_SUFFIX) != 0) {
    if (!table_holds(LITERALS_SUFFIX_LENGTHS, number(LITERALS_SUFFIX_BITS), 8)) return false;
  }
  const ones: u32 = number(LITERALS_ONES);
  const pairs: u32 = number(LITERALS_PAIRS);
  return (ones == 0 || holds(ones, BYTE_SET_BYTES, 1)) &&
    (pairs == 0 || holds(pairs, PAIRS_BYTES, 1));
}

@inline function has_grams(table: u32): bool {
  return number(table + GRAMS_KEY_COUNT) != 0;
}

/** Whether the filter of a table of grams holds. */
function filter_holds(table: u32): bool {
  const bits: u32 = number(table + GRAMS_FILTER_BITS);
  return bits >= 4 && table_holds(table + GRAMS_FILTER, bits - 3, 1);
}

/** Whether the table of first bytes holds; a find asks itself whether there is what it speaks of. */
function firsts_stand(): bool {
  const bits: u32 = number(LITERALS_FIRSTS_BITS);
  return bits == 0 || table_holds(LITERALS_FIRSTS, bits, 1);
}

function grams_stand(table: u32): bool {
  if (!has_grams(table)) return true;
  if (table != LITERALS_TRIPLES && !filter_holds(table)) return false;
  const entries: u32 = number(table + GRAMS_ENTRIES);
  const count: u32 = number(table + GRAMS_ENTRY_COUNT);
  if (count == 0 || !holds(entries, count, ENTRY_ROW_BYTES)) return false;
  if (!keys_stand(number(table + GRAMS_KEYS), number(table + GRAMS_KEY_COUNT))) return false;
  // The entries of the last gram end with the table.
  return (number(entries + (count - 1) * ENTRY_ROW_BYTES) & ENTRY_LAST_BIT) != 0;
}

/** Whether a block may stand at `offset` of an image of `length` bytes; its rows come after. */
export function literals_open(base: usize, offset: u32, length: u32): bool {
  if (offset % 8 != 0 || offset < IMAGE_HEADER_BYTES) return false;
  if (<u64> offset + <u64> LITERALS_HEADER_BYTES > <u64> length) return false;
  block = base + <usize> offset;
  room = number(LITERALS_LENGTH);
  if (<u64> offset + <u64> room > <u64> length || room < LITERALS_HEADER_BYTES) return false;
  return holds(number(LITERALS_GROUPS), number(LITERALS_GROUP_COUNT), GROUP_ROW_BYTES) &&
    holds(number(LITERALS_MEMBERS), number(LITERALS_MEMBER_COUNT), 4) &&
    holds(number(LITERALS_TEXTS), number(LITERALS_TEXT_BYTES), 1) && anchors_stand() &&
    grams_stand(LITERALS_SAMPLED) && grams_stand(LITERALS_DENSE) &&
    grams_stand(LITERALS_TRIPLES) && firsts_stand();
}

@inline function gram_rows(table: u32): u32 {
  return has_grams(table) ? number(table + GRAMS_KEY_COUNT) + number(table + GRAMS_ENTRY_COUNT) : 0;
}

/** Rows of the block that was opened. */
export function literals_rows(): u32 {
  return number(LITERALS_GROUP_COUNT) + number(LITERALS_KEY_COUNT) + gram_rows(LITERALS_SAMPLED) +
    gram_rows(LITERALS_DENSE) + gram_rows(LITERALS_TRIPLES);
}

function gram_row_holds(table: u32, row: u32): bool {
  const keys: u32 = number(table + GRAMS_KEY_COUNT);
  const entries: u32 = number(table + GRAMS_ENTRY_COUNT);
  if (row < keys) return key_holds(number(table + GRAMS_KEYS), row, keys, entries);
  const group: u32 = number(number(table + GRAMS_ENTRIES) + (row - keys) * ENTRY_ROW_BYTES);
  return (group & ~ENTRY_LAST_BIT) < number(LITERALS_GROUP_COUNT);
}

/** Whether a row of the block holds; they are asked for in their order. */
export function literals_row_holds(row: u32, base: usize, atom_count: u32): bool {
  const groups: u32 = number(LITERALS_GROUP_COUNT);
  if (row < groups) return group_holds(row, base, atom_count);
  row -= groups;
  const keys: u32 = number(LITERALS_KEY_COUNT);
  if (row < keys) return key_holds(number(LITERALS_KEYS), row, keys, groups);
  row -= keys;
  const sampled: u32 = gram_rows(LITERALS_SAMPLED);
  if (row < sampled) return gram_row_holds(LITERALS_SAMPLED, row);
  row -= sampled;
  const dense: u32 = gram_rows(LITERALS_DENSE);
  if (row < dense) return gram_row_holds(LITERALS_DENSE, row);
  return gram_row_holds(LITERALS_TRIPLES, row - dense);
}
