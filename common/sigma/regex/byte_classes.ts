import type { NfaState } from "./nfa.ts";
import type { ByteRange } from "./utf8.ts";

const BYTES = 256;
/** Bytes of a word, for `\b`. */
export const WORD_BYTES: readonly ByteRange[] = [
  [0x30, 0x39],
  [0x41, 0x5A],
  [0x5F, 0x5F],
  [0x61, 0x7A],
];
const LINE_END: readonly ByteRange[] = [[0x0A, 0x0A]];
const SPACE = 0x20;

/** Bytes that no state tells apart share a class. */
export interface ByteClasses {
  /** Class of each byte. NUL has that of space: it stands between arguments. */
  readonly classOf: Uint8Array;
  /** One byte of each class. */
  readonly samples: readonly number[];
}

/**
 * Finds the classes of an automaton's bytes.
 *
 * @param states Its states.
 */
export function byteClasses(states: readonly NfaState[]): ByteClasses {
  const starts = new Uint8Array(BYTES + 1);
  const cut = (ranges: readonly ByteRange[]): void => {
    for (const [first, last] of ranges) {
      starts[first] = 1;
      starts[last + 1] = 1;
    }
  };
  for (const state of states) {
    if (state.type === "bytes") cut(state.ranges);
    else if (state.type === "assert") cut([...WORD_BYTES, ...LINE_END]);
  }
  const classOf = new Uint8Array(BYTES);
  const samples = [1];
  for (let byte = 1; byte < BYTES; byte++) {
    if (starts[byte] === 1 && byte > 1) samples.push(byte);
    classOf[byte] = samples.length - 1;
  }
  classOf[0] = classOf[SPACE] ?? 0;
  return { classOf, samples };
}
