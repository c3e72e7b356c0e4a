import type { Assertion } from "./ast.ts";

/** How a program is run. */
export const REGEX_KINDS = {
  /** A table of states and classes of bytes: one step a byte. */
  table: 1,
  /** States followed side by side: at most one step a state and byte. */
  states: 2,
} as const;

/** Header of a program, then its tables. Little-endian. */
export const REGEX_HEADER = {
  kind: 0, // u8, REGEX_KINDS
  classes: 2, // u16
  states: 4, // u32
  start: 8, // u32, state to start from (kind states)
  home: 8, // u32, state in which a text stays longest (kind table)
  sets: 12, // u32, sets of classes (kind states)
  least: 12, // u32, bytes of the shortest match at least (kind table)
  class_of: 16, // u8[256]
  leaves: 272, // byte set (byte_set.ts), bytes that lead out of `home` (kind table)
} as const;
/** Bytes of the header; behind it the tables start. */
export const REGEX_HEADER_BYTES = 304;
/** Bytes of a set of classes: a bit a class. */
export const REGEX_SET_BYTES = 32;
/** Bytes of a state: u32 operation in the low byte and operand above it, u32 next state. */
export const REGEX_STATE_BYTES = 8;
/** Most states of one program; counted repetitions are written out. */
export const REGEX_STATES_MAX = 8192;
/** Next state in a table: a match is certain. */
export const REGEX_DFA_ACCEPT = 0xFFFF;
/** Next state in a table: no match can come any more. */
export const REGEX_DFA_DEAD = 0xFFFE;

/** Operations of a state. Operand: number of a set, other state, REGEX_ASSERTIONS. */
export const REGEX_OPS = { bytes: 1, split: 2, assert: 3, match: 4 } as const;
/** Numbers of the assertions. */
export const REGEX_ASSERTIONS = {
  text_start: 0,
  text_end: 1,
  line_start: 2,
  line_end: 3,
  word_boundary: 4,
  not_word_boundary: 5,
} as const satisfies Readonly<Record<Assertion, number>>;
