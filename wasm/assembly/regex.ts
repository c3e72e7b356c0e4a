// Regular expressions: programs of common/sigma/regex, run in time linear in the text. A table takes
// one step a byte (Rabin and Scott 1959). Of a larger pattern the states are followed side by side
// (Pike's way of Thompson 1968): at most one step a state and byte.

import {
  REGEX_ASSERTIONS_LINE_END,
  REGEX_ASSERTIONS_LINE_START,
  REGEX_ASSERTIONS_NOT_WORD_BOUNDARY,
  REGEX_ASSERTIONS_TEXT_END,
  REGEX_ASSERTIONS_TEXT_START,
  REGEX_ASSERTIONS_WORD_BOUNDARY,
  REGEX_DFA_ACCEPT,
  REGEX_DFA_DEAD,
  REGEX_HEADER_BYTES,
  REGEX_HEADER_CLASS_OF,
  REGEX_HEADER_CLASSES,
  REGEX_HEADER_HOME,
  REGEX_HEADER_KIND,
  REGEX_HEADER_LEAST,
  REGEX_HEADER_LEAVES,
  REGEX_HEADER_SETS,
  REGEX_HEADER_START,
  REGEX_HEADER_STATES,
  REGEX_KINDS_STATES,
  REGEX_KINDS_TABLE,
  REGEX_OPS_ASSERT,
  REGEX_OPS_BYTES,
  REGEX_OPS_MATCH,
  REGEX_OPS_SPLIT,
  REGEX_SET_BYTES,
  REGEX_STATE_BYTES,
  REGEX_STATES_MAX,
} from "../../out/gen/image";
import { spend } from "./budget";
import { members_of } from "./byte_set";
import { REGEX_LISTS, REGEX_MARKS, REGEX_STACK } from "./memory";

/** What stands beside a place in the text. */
@inline const EDGE: u32 = 0;
@inline const WORD: u32 = 1;
@inline const LINE: u32 = 2;
@inline const OTHER: u32 = 3;

@inline const LIST_BYTES: usize = <usize> REGEX_STATES_MAX << 2;

/** True when the last run ended for want of steps (budget.ts): its answer is not known. */
export let regex_unfinished: bool = false;

@inline function header32(program: usize, place: u32): u32 {
  return load<u32>(program + <usize> place);
}

function check_table(program: usize, length: u32, classes: u32, states: u32): bool {
  const cells: u64 = <u64> states * <u64> classes;
  if (header32(program, REGEX_HEADER_HOME) >= states) return false;
  if (<u64> REGEX_HEADER_BYTES + (cells << 1) + <u64> states > <u64> length) return false;
  const end: usize = program + <usize> REGEX_HEADER_BYTES + (<usize> cells << 1);
  for (let at: usize = program + <usize> REGEX_HEADER_BYTES; at < end; at += 2) {
    const next: u32 = <u32> load<u16>(at);
    if (next >= states && next != REGEX_DFA_ACCEPT && next != REGEX_DFA_DEAD) return false;
  }
  return true;
}

function check_state(word: u32, next: u32, states: u32, sets: u32): bool {
  const op: u32 = word & 0xff;
  const operand: u32 = word >> 8;
  if (op == REGEX_OPS_MATCH) return true;
  if (next >= states) return false;
  if (op == REGEX_OPS_BYTES) return operand < sets;
  if (op == REGEX_OPS_SPLIT) return operand < states;
  return op == REGEX_OPS_ASSERT && operand <= REGEX_ASSERTIONS_NOT_WORD_BOUNDARY;
}

function check_states(program: usize, length: u32, states: u32): bool {
  const sets: u32 = header32(program, REGEX_HEADER_SETS);
  if (states > REGEX_STATES_MAX || header32(program, REGEX_HEADER_START) >= states) return false;
  const needed: u64 = <u64> REGEX_HEADER_BYTES + <u64> states * <u64> REGEX_STATE_BYTES +
    <u64> sets * <u64> REGEX_SET_BYTES;
  if (needed > <u64> length) return false;
  for (let i: u32 = 0; i < states; i++) {
    const at: usize = program + <usize> (REGEX_HEADER_BYTES + i * REGEX_STATE_BYTES);
    if (!check_state(load<u32>(at), load<u32>(at, 4), states, sets)) return false;
  }
  return true;
}

/** Whether a program of `length` bytes holds: after it, a run needs no test of its own. */
export function regex_check(program: usize, length: u32): bool {
  if (length < REGEX_HEADER_BYTES) return false;
  const kind: u32 = <u32> load<u8>(program, REGEX_HEADER_KIND);
  const classes: u32 = <u32> load<u16>(program, REGEX_HEADER_CLASSES);
  const states: u32 = header32(program, REGEX_HEADER_STATES);
  if (classes == 0 || classes > 256 || states == 0) return false;
  for (let i: usize = 0; i < 256; i++) {
    if (<u32> load<u8>(program + <usize> REGEX_HEADER_CLASS_OF + i) >= classes) return false;
  }
  if (kind == REGEX_KINDS_TABLE) return check_table(program, length, classes, states);
  return kind == REGEX_KINDS_STATES && check_states(program, length, states);
}

/** Skips that a run takes without going far, before it looks at each byte. */
@inline const SHORT_SKIPS_MAX: u32 = 4;
@inline const FAR: u32 = 16;

/**
 * The first place from `from` on whose byte leads out of the home state, or `length`: 16 bytes at a
 * time, each looked up by its halves. Up to 15 bytes behind the text are read.
 */
function skip(program: usize, text: usize, from: u32, length: u32): u32 {
  const leaves: usize = program + <usize> REGEX_HEADER_LEAVES;
  for (let i: u32 = from; i < length; i += 16) {
    const places: u32 = members_of(leaves, v128.load(text + <usize> i));
    if (places != 0) return min<u32>(i + ctz<u32>(places), length);
  }
  return length;
}

function run_table(program: usize, text: usize, length: u32): bool {
  if (length < header32(program, REGEX_HEADER_LEAST)) return false;
  const home: u32 = header32(program, REGEX_HEADER_HOME);
  let short_skips: u32 = 0;
  const classes: u32 = <u32> load<u16>(program, REGEX_HEADER_CLASSES);
  const class_of: usize = program + <usize> REGEX_HEADER_CLASS_OF;
  const table: usize = program + <usize> REGEX_HEADER_BYTES;
  let state: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    if (state == home && short_skips < SHORT_SKIPS_MAX) {
      const place: u32 = skip(program, text, i, length);
      if (place - i < FAR) short_skips++;
      i = place;
      if (i == length) break;
    }
    const column: u32 = <u32> load<u8>(class_of + <usize> load<u8>(text + <usize> i));
    state = <u32> load<u16>(table + (<usize> (state * classes + column) << 1));
    if (state >= REGEX_DFA_DEAD) return state == REGEX_DFA_ACCEPT;
  }
  const ends: usize = table + (<usize> (header32(program, REGEX_HEADER_STATES) * classes) << 1);
  return load<u8>(ends + <usize> state) != 0;
}

@inline function beside(byte: u32): u32 {
  if (byte == 0x0a) return LINE;
  const is_word: bool = byte - 0x30 < 10 || (byte | 0x20) - 0x61 < 26 || byte == 0x5f;
  return is_word ? WORD : OTHER;
}

function holds(assertion: u32, before: u32, after: u32): bool {
  if (assertion == REGEX_ASSERTIONS_TEXT_START) return before == EDGE;
  if (assertion == REGEX_ASSERTIONS_TEXT_END) return after == EDGE;
  if (assertion == REGEX_ASSERTIONS_LINE_START) return before == EDGE || before == LINE;
  if (assertion == REGEX_ASSERTIONS_LINE_END) return after == EDGE || after == LINE;
  return ((before == WORD) != (after == WORD)) == (assertion == REGEX_ASSERTIONS_WORD_BOUNDARY);
}

let stacked: u32 = 0;
/** States that the last `close` went through. */
let visited: u32 = 0;

@inline function push(state: u32): void {
  store<u32>(REGEX_STACK + (<usize> stacked << 2), state);
  stacked++;
}

/**
 * Follows what needs no byte from the `count` states of a list; those that ask for one go to the
 * start of the same list, and their number is returned; -1: the pattern matches.
 */
function close(program: usize, list: usize, count: u32, before: u32, after: u32, mark: u32): i32 {
  const states: usize = program + <usize> REGEX_HEADER_BYTES;
  let asking: u32 = 0;
  // A list is read to its end first: what is written takes its place.
  stacked = 0;
  visited = 0;
  for (let i: u32 = count; i > 0; i--) push(load<u32>(list + (<usize> (i - 1) << 2)));
  while (stacked > 0) {
    stacked--;
    const state: u32 = load<u32>(REGEX_STACK + (<usize> stacked << 2));
    const seen: usize = REGEX_MARKS + (<usize> state << 2);
    if (load<u32>(seen) == mark) continue;
    store<u32>(seen, mark);
    visited++;
    const at: usize = states + <usize> (state * REGEX_STATE_BYTES);
    const word: u32 = load<u32>(at);
    const op: u32 = word & 0xff;
    if (op == REGEX_OPS_MATCH) return -1;
    if (op == REGEX_OPS_BYTES) {
      store<u32>(list + (<usize> asking << 2), state);
      asking++;
    } else if (op == REGEX_OPS_SPLIT) {
      push(word >> 8);
      push(load<u32>(at, 4));
    } else if (holds(word >> 8, before, after)) push(load<u32>(at, 4));
  }
  return <i32> asking;
}

let mark_count: u32 = 0;

@inline function next_mark(): u32 {
  mark_count++;
  if (mark_count == 0) {
    memory.fill(REGEX_MARKS, 0, LIST_BYTES);
    mark_count = 1;
  }
  return mark_count;
}

/**
 * Takes one byte: the states that follow those of `list` (all of which ask for a byte), each once,
 * to `other`. The start is left out: it joins every list.
 */
function step(program: usize, list: usize, other: usize, asking: u32, column: u32): u32 {
  const states: usize = program + <usize> REGEX_HEADER_BYTES;
  const sets: usize = states +
    <usize> (header32(program, REGEX_HEADER_STATES) * REGEX_STATE_BYTES);
  const start: u32 = header32(program, REGEX_HEADER_START);
  const mark: u32 = next_mark();
  let count: u32 = 0;
  for (let i: u32 = 0; i < asking; i++) {
    const at: usize = states + <usize> (load<u32>(list + (<usize> i << 2)) * REGEX_STATE_BYTES);
    const set: usize = sets + <usize> ((load<u32>(at) >> 8) * REGEX_SET_BYTES);
    if (((<u32> load<u8>(set + <usize> (column >> 3)) >> (column & 7)) & 1) == 0) continue;
    const next: u32 = load<u32>(at, 4);
    const seen: usize = REGEX_MARKS + (<usize> next << 2);
    if (next == start || load<u32>(seen) == mark) continue;
    store<u32>(seen, mark);
    store<u32>(other + (<usize> count << 2), next);
    count++;
  }
  return count;
}

function run_states(program: usize, text: usize, length: u32): bool {
  const class_of: usize = program + <usize> REGEX_HEADER_CLASS_OF;
  const start: u32 = header32(program, REGEX_HEADER_START);
  let list: usize = REGEX_LISTS;
  let other: usize = REGEX_LISTS + LIST_BYTES;
  let count: u32 = 0;
  let before: u32 = EDGE;
  for (let i: u32 = 0; i <= length; i++) {
    // A match may begin at any place.
    store<u32>(list + (<usize> count << 2), start);
    const is_end: bool = i == length;
    // NUL stands for the space between two arguments.
    let byte: u32 = is_end ? 0x20 : <u32> load<u8>(text + <usize> i);
    if (byte == 0) byte = 0x20;
    const after: u32 = is_end ? EDGE : beside(byte);
    const asking: i32 = close(program, list, count + 1, before, after, next_mark());
    if (asking < 0) return true;
    if (is_end) break;
    if (!spend(visited)) {
      regex_unfinished = true;
      break;
    }
    const column: u32 = <u32> load<u8>(class_of + <usize> byte);
    count = step(program, list, other, <u32> asking, column);
    const swap: usize = list;
    list = other;
    other = swap;
    before = after;
  }
  return false;
}

/** Whether a checked program matches anywhere in a text. */
export function regex_run(program: usize, text: usize, length: u32): bool {
  regex_unfinished = false;
  const kind: u32 = <u32> load<u8>(program, REGEX_HEADER_KIND);
  return kind == REGEX_KINDS_TABLE
    ? run_table(program, text, length)
    : run_states(program, text, length);
}
