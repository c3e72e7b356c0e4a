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
 * @returns As few classes as tell apart what the states tell apart.
 */
export function byteClasses(states: readonly NfaState[]): ByteClasses {
  const sets = distinctSets(states);
  const numbers = new Map<string, number>();
  const classOf = new Uint8Array(BYTES);
  const samples: number[] = [];
  for (let byte = 1; byte < BYTES; byte++) {
    const key = sets.map((set) => set[byte]).join("");
    const known = numbers.get(key);
    classOf[byte] = known ?? samples.length;
    if (known !== undefined) continue;
    numbers.set(key, samples.length);
    samples.push(byte);
  }
  classOf[0] = classOf[SPACE] ?? 0;
  return { classOf, samples };
}

/** The sets of bytes that states ask for, each once: 1 for a byte that is in it. */
function distinctSets(states: readonly NfaState[]): readonly Uint8Array[] {
  const sets = new Map<string, Uint8Array>();
  const add = (ranges: readonly ByteRange[]): void => {
    const key = ranges.join(";");
    if (sets.has(key)) return;
    const set = new Uint8Array(BYTES);
    for (const [first, last] of ranges) set.fill(1, first, last + 1);
    sets.set(key, set);
  };
  for (const state of states) {
    if (state.type === "bytes") add(state.ranges);
    else if (state.type === "assert") {
      add(WORD_BYTES);
      add(LINE_END);
    }
  }
  return [...sets.values()];
}
