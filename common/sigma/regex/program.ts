import { byteSet } from "../byte_set.ts";
import type { RegexNode } from "./ast.ts";
import { type ByteClasses, byteClasses } from "./byte_classes.ts";
import { buildDfa, type Dfa } from "./dfa.ts";
import {
  REGEX_ASSERTIONS,
  REGEX_HEADER,
  REGEX_HEADER_BYTES,
  REGEX_KINDS,
  REGEX_OPS,
  REGEX_SET_BYTES,
  REGEX_STATE_BYTES,
} from "./layout.ts";
import { leastBytes } from "./least.ts";
import { buildNfa, type Nfa } from "./nfa.ts";

const OPERAND_SHIFT = 8;

/**
 * Compiles a pattern into a program for the engine: a table where that stays small, else states.
 *
 * @param node Its syntax tree.
 * @returns The program, relocatable, a multiple of 8 bytes.
 * @throws {RegexError} when it needs too many states.
 */
export function compileRegex(node: RegexNode): Uint8Array {
  const nfa = buildNfa(node);
  const classes = byteClasses(nfa.states);
  const dfa = buildDfa(nfa, classes);
  if (dfa === undefined) return statesProgram(nfa, classes);
  return tableProgram(dfa, { ...classes, least: leastBytes(node) });
}

function tableProgram(
  dfa: Dfa,
  { classOf, least }: ByteClasses & { readonly least: number },
): Uint8Array {
  const home = homeOf(dfa, classOf);
  const ends = REGEX_HEADER_BYTES + dfa.next.length * 2;
  const bytes = program(ends + dfa.states);
  const view = new DataView(bytes.buffer);
  bytes[REGEX_HEADER.kind] = REGEX_KINDS.table;
  view.setUint16(REGEX_HEADER.classes, dfa.classes, true);
  view.setUint32(REGEX_HEADER.states, dfa.states, true);
  view.setUint32(REGEX_HEADER.home, home, true);
  view.setUint32(REGEX_HEADER.least, least, true);
  bytes.set(classOf, REGEX_HEADER.class_of);
  const leaves = [...classOf.keys()].filter((byte) =>
    dfa.next[home * dfa.classes + (classOf[byte] ?? 0)] !== home
  );
  bytes.set(byteSet(leaves), REGEX_HEADER.leaves);
  dfa.next.forEach((to, i) => view.setUint16(REGEX_HEADER_BYTES + i * 2, to, true));
  bytes.set(dfa.acceptsAtEnd, ends);
  return bytes;
}

/** The state that the most bytes lead back to. */
function homeOf({ states, classes, next }: Dfa, classOf: Uint8Array): number {
  const bytesOf = new Uint32Array(classes);
  for (const of of classOf) bytesOf[of] = (bytesOf[of] ?? 0) + 1;
  let [home, most] = [0, 0];
  for (let state = 0; state < states; state++) {
    const row = next.subarray(state * classes, (state + 1) * classes);
    const stay = row.reduce((sum, to, of) => to === state ? sum + (bytesOf[of] ?? 0) : sum, 0);
    if (stay > most) [home, most] = [state, stay];
  }
  return home;
}

function statesProgram({ states, start }: Nfa, { classOf, samples }: ByteClasses): Uint8Array {
  const sets: Uint8Array[] = [];
  const setByKey = new Map<string, number>();
  const setOf = (ranges: readonly (readonly [number, number])[]): number => {
    const set = new Uint8Array(REGEX_SET_BYTES);
    samples.forEach((byte, of) => {
      const isIn = ranges.some(([first, last]) => byte >= first && byte <= last);
      if (isIn) set[of >> 3] = (set[of >> 3] ?? 0) | 1 << (of & 7);
    });
    const key = set.join();
    const known = setByKey.get(key);
    if (known !== undefined) return known;
    setByKey.set(key, sets.length);
    return sets.push(set) - 1;
  };
  const words = states.map((state): readonly [op: number, operand: number, next: number] => {
    if (state.type === "bytes") return [REGEX_OPS.bytes, setOf(state.ranges), state.next];
    if (state.type === "split") return [REGEX_OPS.split, state.other, state.next];
    if (state.type === "match") return [REGEX_OPS.match, 0, 0];
    return [REGEX_OPS.assert, REGEX_ASSERTIONS[state.assertion], state.next];
  });
  const atSets = REGEX_HEADER_BYTES + states.length * REGEX_STATE_BYTES;
  const bytes = program(atSets + sets.length * REGEX_SET_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[REGEX_HEADER.kind] = REGEX_KINDS.states;
  view.setUint16(REGEX_HEADER.classes, samples.length, true);
  view.setUint32(REGEX_HEADER.states, states.length, true);
  view.setUint32(REGEX_HEADER.start, start, true);
  view.setUint32(REGEX_HEADER.sets, sets.length, true);
  bytes.set(classOf, REGEX_HEADER.class_of);
  words.forEach(([op, operand, next], i) => {
    const at = REGEX_HEADER_BYTES + i * REGEX_STATE_BYTES;
    view.setUint32(at, op | operand << OPERAND_SHIFT, true);
    view.setUint32(at + 4, next, true);
  });
  sets.forEach((set, i) => bytes.set(set, atSets + i * REGEX_SET_BYTES));
  return bytes;
}

function program(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Math.ceil(length / 8) * 8);
}
