// Globs over folded bytes. Between two stars the leftmost place of a segment is enough, so a glob
// is a row of searches. A search that the text makes quadratic falls back to a bit-parallel one
// (Shift-And, Baeza-Yates and Gonnet 1992), 64 elements of the segment at a time: the cost stays
// within text length times segment length / 64.

import { GLOB_ANY, GLOB_ONE } from "../../out/gen/image";
import { fold, same_byte } from "./fold";
import { GLOB_TABLE } from "./memory";
import { count, STAT_GLOB_FALLBACKS } from "./stats";

/** Comparisons of the plain search, a text byte, before it gives way. */
@inline const COMPARISONS_PER_BYTE_MAX: u32 = 8;
@inline const TABLE_BYTES: usize = 2048;
/** Longest text, in bytes: no record holds a longer one. */
@inline const CARRY_BYTES: usize = 32768;

/** Whether letters count as they are written, for the glob under way. */
let is_cased: bool = false;

@inline function comparable(byte: u32): u32 {
  return is_cased ? same_byte(byte) : fold(byte);
}

@inline function same(element: u32, byte: u32): bool {
  return element == GLOB_ONE || element == comparable(byte);
}

/** Whether the whole text matches the pattern, which is folded already unless `cased`. */
export function glob(
  pattern: usize,
  pattern_length: u32,
  text: usize,
  text_length: u32,
  cased: bool,
): bool {
  is_cased = cased;
  let pattern_end: usize = pattern + <usize> pattern_length;
  let text_end: usize = text + <usize> text_length;
  for (; pattern < pattern_end && <u32> load<u8>(pattern) != GLOB_ANY; pattern++, text++) {
    if (text >= text_end || !same(load<u8>(pattern), load<u8>(text))) return false;
  }
  if (pattern == pattern_end) return text == text_end;
  for (; <u32> load<u8>(pattern_end - 1) != GLOB_ANY; pattern_end--, text_end--) {
    if (text_end <= text || !same(load<u8>(pattern_end - 1), load<u8>(text_end - 1))) return false;
  }
  while (true) {
    while (pattern < pattern_end && <u32> load<u8>(pattern) == GLOB_ANY) pattern++;
    if (pattern >= pattern_end) return true;
    let end: usize = pattern;
    while (<u32> load<u8>(end) != GLOB_ANY) end++;
    const place: usize = find(pattern, end - pattern, text, text_end);
    if (place == 0) return false;
    text = place + (end - pattern);
    pattern = end;
  }
}

/** The leftmost place of a segment (no stars, not empty) in a text, or 0. */
function find(segment: usize, length: usize, text: usize, text_end: usize): usize {
  if (text_end - text < length) return 0;
  const last: usize = text_end - length;
  let budget: i32 = <i32> ((<u32> (text_end - text) + 8) * COMPARISONS_PER_BYTE_MAX);
  for (let at: usize = text; at <= last; at++) {
    let i: usize = 0;
    while (i < length && same(load<u8>(segment + i), load<u8>(at + i))) i++;
    if (i == length) return at;
    budget -= <i32> i + 1;
    if (budget < 0) {
      count(STAT_GLOB_FALLBACKS);
      return find_parallel(segment, length, at, text_end);
    }
  }
  return 0;
}

function fill_table(segment: usize, length: usize): void {
  memory.fill(GLOB_TABLE, 0, TABLE_BYTES);
  let any: u64 = 0;
  for (let i: usize = 0; i < length; i++) {
    const element: u32 = <u32> load<u8>(segment + i);
    const bit: u64 = <u64> 1 << <u64> i;
    if (element == GLOB_ONE) any |= bit;
    else {
      const entry: usize = GLOB_TABLE + (<usize> element << 3);
      store<u64>(entry, load<u64>(entry) | bit);
    }
  }
  if (any == 0) return;
  for (let at: usize = GLOB_TABLE; at < GLOB_TABLE + TABLE_BYTES; at += 8) {
    store<u64>(at, load<u64>(at) | any);
  }
}

function find_parallel(segment: usize, length: usize, text: usize, text_end: usize): usize {
  const bytes: usize = text_end - text;
  if (bytes > CARRY_BYTES) return 0;
  let carry_in: usize = GLOB_TABLE + TABLE_BYTES;
  let carry_out: usize = carry_in + CARRY_BYTES;
  for (let from: usize = 0; from < length; from += 64) {
    const size: usize = min<usize>(length - from, 64);
    fill_table(segment + from, size);
    let state: u64 = 0;
    const top: u64 = <u64> (size - 1);
    const is_last: bool = from + size == length;
    for (let i: usize = 0; i < bytes; i++) {
      let carry: u64 = 1;
      if (from != 0) carry = i == 0 ? 0 : <u64> load<u8>(carry_in + i - 1);
      const mask: u64 = load<u64>(GLOB_TABLE + (<usize> comparable(load<u8>(text + i)) << 3));
      state = ((state << 1) | carry) & mask;
      const found: u64 = (state >> top) & 1;
      if (is_last && found != 0) return text + i + 1 - length;
      store<u8>(carry_out + i, <u8> found);
    }
    const swap: usize = carry_in;
    carry_in = carry_out;
    carry_out = swap;
  }
  return 0;
}
