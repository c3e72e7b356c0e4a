import { ImmuneError } from "../config/errors.ts";
import { AUTOMATON, AUTOMATON_OUTPUT_BIT, IMAGE_BYTES_MAX } from "./image_layout.ts";

/** A literal to find and the atom that it belongs to. */
export interface Literal {
  /** At least one byte, ASCII case folded. */
  readonly text: Uint8Array;
  readonly atom: number;
}

const HEADER_BYTES = 32;
const CLASS_OF_BYTES = 256;
const UPPER_A = 0x41;
const UPPER_Z = 0x5A;
const CASE_BIT = 0x20;

/**
 * Builds the automaton of one field: Aho and Corasick, "Efficient string matching" (1975), with
 * failure links resolved into one table over byte classes. Upper-case ASCII letters share the class
 * of their lower-case ones; all bytes that no literal has share class 0.
 *
 * @param literals Literals; equal ones may belong to several atoms.
 * @returns The automaton in the layout of `AUTOMATON`, a multiple of 8 bytes long.
 * @throws {ImmuneError} `RULE_SET_TOO_LARGE` when its table alone would not fit in an image.
 */
export function buildAutomaton(literals: readonly Literal[]): Uint8Array {
  const { classOf, classes } = byteClasses(literals);
  const trie = buildTrie(literals, { classOf, classes });
  const states = trie.outputs.length;
  if (states * classes * 4 > IMAGE_BYTES_MAX) {
    throw new ImmuneError(
      "RULE_SET_TOO_LARGE",
      `Cannot build the automaton of a field: ${states} states of ${classes} byte classes exceed ` +
        `${IMAGE_BYTES_MAX} bytes; load fewer rules`,
    );
  }
  resolve(trie, { states, classes });
  return encode(trie, { classOf, classes });
}

interface Classes {
  readonly classOf: Uint8Array;
  readonly classes: number;
}

interface Trie {
  /** Next state by state * classes + class; 0 = none yet. */
  next: Uint32Array;
  /** Atoms that end in a state. */
  readonly outputs: number[][];
}

function byteClasses(literals: readonly Literal[]): Classes {
  const classOf = new Uint8Array(CLASS_OF_BYTES);
  let classes = 1;
  for (const { text } of literals) {
    for (const byte of text) if (classOf[byte] === 0) classOf[byte] = classes++;
  }
  for (let byte = UPPER_A; byte <= UPPER_Z; byte++) classOf[byte] = classOf[byte | CASE_BIT] ?? 0;
  return { classOf, classes };
}

function buildTrie(literals: readonly Literal[], { classOf, classes }: Classes): Trie {
  const edges = new Map<number, number>();
  const outputs: number[][] = [[]];
  for (const { text, atom } of literals) {
    let state = 0;
    for (const byte of text) {
      const edge = state * classes + (classOf[byte] ?? 0);
      const known = edges.get(edge);
      if (known === undefined) edges.set(edge, outputs.length);
      state = known ?? outputs.push([]) - 1;
    }
    outputs[state]?.push(atom);
  }
  if (outputs.length * classes * 4 > IMAGE_BYTES_MAX) return { next: new Uint32Array(0), outputs };
  const next = new Uint32Array(outputs.length * classes);
  for (const [edge, state] of edges) next[edge] = state;
  return { next, outputs };
}

/** Fills the holes of the table breadth first and hands outputs down from suffixes. */
function resolve(
  { next, outputs }: Trie,
  { states, classes }: { readonly states: number; readonly classes: number },
): void {
  const suffix = new Uint32Array(states);
  const queue = new Uint32Array(states);
  let tail = 0;
  queue[tail++] = 0;
  for (let head = 0; head < tail; head++) {
    const state = queue[head] ?? 0;
    const fallback = suffix[state] ?? 0;
    for (let of = 0; of < classes; of++) {
      const elsewhere = state === 0 ? 0 : next[fallback * classes + of] ?? 0;
      const child = next[state * classes + of] ?? 0;
      if (child === 0) next[state * classes + of] = elsewhere;
      else {
        suffix[child] = elsewhere;
        outputs[child]?.push(...(outputs[elsewhere] ?? []));
        queue[tail++] = child;
      }
    }
  }
}

function encode({ next, outputs }: Trie, { classOf, classes }: Classes): Uint8Array {
  const states = outputs.length;
  const transitions = HEADER_BYTES + CLASS_OF_BYTES;
  const starts = transitions + states * classes * 4;
  const atoms = starts + (states + 1) * 4;
  const total = outputs.reduce((sum, list) => sum + list.length, 0);
  const bytes = new Uint8Array(Math.ceil((atoms + total * 4) / 8) * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(AUTOMATON.states, states, true);
  view.setUint32(AUTOMATON.classes, classes, true);
  view.setUint32(AUTOMATON.transitions, transitions, true);
  view.setUint32(AUTOMATON.output_starts, starts, true);
  view.setUint32(AUTOMATON.outputs, atoms, true);
  bytes.set(classOf, AUTOMATON.class_of);
  next.forEach((state, i) => {
    const found = (outputs[state]?.length ?? 0) > 0;
    view.setUint32(transitions + i * 4, (found ? state | AUTOMATON_OUTPUT_BIT : state) >>> 0, true);
  });
  let count = 0;
  outputs.forEach((list, state) => {
    view.setUint32(starts + state * 4, count, true);
    for (const atom of list) view.setUint32(atoms + 4 * count++, atom, true);
  });
  view.setUint32(starts + states * 4, count, true);
  return bytes;
}
