// Layout of the literals of one field in a rule image (specs/literals.md). Little-endian u32s, places
// are offsets from the start of the block, which is 8-byte aligned.

/** Header of a block. */
export const LITERALS = {
  length: 0, // bytes of the block
  groups: 4, // GROUP_ROW[group_count]
  group_count: 8,
  members: 12, // u32[member_count] atoms, those of a group side by side
  member_count: 16,
  texts: 20, // folded texts
  text_bytes: 24,
  keys: 28, // KEY_ROW[key_count]: a hash table, open addressing
  key_count: 32, // a power of two, more than its rows; 0 = none
  kinds: 36, // LITERAL_KINDS that occur, a bit each
  prefix_lengths: 40, // u64[1 << prefix_bits]: lengths of prefixes, by the first two bytes
  prefix_bits: 44,
  suffix_lengths: 48, // the same of suffixes, by the last two bytes
  suffix_bits: 52,
  pairs: 56, // u8[PAIRS_BYTES]: a bit for each two bytes that are a literal; 0 = none are
  starts: 60, // a filter of bits: the first ANCHOR_BYTES of prefixes that have them
  starts_bits: 64, // of the hash; 0 = no such literals
  ends: 68, // the same of the last ones of suffixes, and of texts that are to be the whole value
  ends_bits: 72,
  ones: 76, // byte set (byte_set.ts): bytes that are a literal; 0 = none are
  sampled: 80, // GRAMS: literals of SAMPLED_BYTES_MIN bytes and more
  dense: 104, // GRAMS: those of GRAM_BYTES to SAMPLED_BYTES_MIN - 1 bytes
  triples: 128, // GRAMS: those of TRIPLE_BYTES; no filter
  firsts: 152, // u8[1 << firsts_bits], by the top bits of the hash of 3 bytes: FIRSTS
  firsts_bits: 156, // 0 = there are neither dense grams nor triples
} as const;
export const LITERALS_HEADER_BYTES = 160;

/** One table of grams: a filter, a hash table behind it, entries behind that. */
export const GRAMS = {
  filter: 0, // a bit by the top bits of a hash
  filter_bits: 4, // of the hash
  keys: 8, // KEY_ROW[key_count]; `group` is the number of an entry, + 1
  key_count: 12, // a power of two, more than its rows; 0 = no such literals
  entries: 16, // ENTRY_ROW[entry_count]
  entry_count: 20,
} as const;

/** Atoms with the same text. */
export const GROUP_ROW = {
  text: 0, // from the start of the texts
  length: 4,
  first: 8, // number of its first member
  count: 12,
} as const;
export const GROUP_ROW_BYTES = 16;

/** A slot of a hash table. */
export const KEY_ROW = {
  key: 0,
  group: 4, // + 1; 0 = the slot is free
} as const;
export const KEY_ROW_BYTES = 8;

/** Where a gram stands in a literal. */
export const ENTRY_ROW = {
  group: 0, // the top bit is set on the last entry of a gram
  offset: 4,
  length: 8, // of the literal
  tail: 12, // its last 4 bytes, of one that has them
} as const;
export const ENTRY_ROW_BYTES = 16;
export const ENTRY_LAST_BIT = 0x8000_0000;

/** Kinds of keys; the number is mixed into the hash. */
export const LITERAL_KINDS = { equals: 1, prefix: 2, suffix: 4, short: 8 } as const;
/** Beside the kinds that occur: there are prefixes, suffixes of less than ANCHOR_BYTES. */
export const SHORT_ANCHORS = { prefix: 16, suffix: 32 } as const;

/** Bytes at an end of a value that say whether a literal may stand there. */
export const ANCHOR_BYTES = 4;
/** Lengths below that, a bit each. */
export const SHORT_ANCHOR_LENGTHS = 0b1110;
/** Bytes of a gram of the dense table. */
export const GRAM_BYTES = 4;
/** Bytes of a literal that is a gram of its own; shorter ones are short. */
export const TRIPLE_BYTES = 3;
/** Bytes of a gram of the sampled table. */
export const SAMPLED_GRAM_BYTES = 6;
/** Only every so many places of a text are looked at for the sampled table. */
export const SAMPLED_STEP = 4;
/** Least bytes of its literals: each has a gram of its own for every way that it may be hit. */
export const SAMPLED_BYTES_MIN = 9;
/** A longer prefix or suffix is keyed by so many bytes of it, those at the end of the value. */
export const KEYED_BYTES_MAX = 48;
/** A text that is to be the whole value is keyed by so many of its last bytes, and its length. */
export const EQUALS_BYTES_MAX = 16;
/** Most literals that one key may lead to; more go to the field's automaton. */
export const ENTRIES_PER_KEY_MAX = 64;
/** What three bytes are: a literal, the start of a dense gram. */
export const FIRSTS = { triple: 1, dense: 2 } as const;
/** Bytes of a table of bits for each two bytes. */
export const PAIRS_BYTES = 8192;
/** What the keys of short literals are made of: these, and the bytes themselves. */
export const SHORT_KEYS = { one: 0x2_0000, two: 0x1_0000 } as const;

/** Multipliers of the hashes (odd, from xxHash32 by Yann Collet). */
export const HASH_A = 0x9E37_79B1;
export const HASH_B = 0x85EB_CA77;
export const HASH_C = 0xC2B2_AE3D;
