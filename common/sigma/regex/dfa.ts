import type { Assertion } from "./ast.ts";
import { type ByteClasses, WORD_BYTES } from "./byte_classes.ts";
import { REGEX_DFA_ACCEPT, REGEX_DFA_DEAD } from "./layout.ts";
import type { Nfa } from "./nfa.ts";

/** Most cells (states times classes) of a table; a larger automaton is run as it is. */
export const DFA_CELLS_MAX = 8192;

/** A deterministic automaton that looks for a match anywhere. State 0 is the start. */
export interface Dfa {
  readonly states: number;
  readonly classes: number;
  /** Next state, by state times classes plus class; or `REGEX_DFA_ACCEPT`, `REGEX_DFA_DEAD`. */
  readonly next: Uint16Array;
  /** Whether a text that ends in a state matches, by state. */
  readonly acceptsAtEnd: Uint8Array;
}

/** What stands beside a place in the text. */
const BESIDE = { edge: 0, word: 1, line: 2, other: 3 } as const;
type Beside = (typeof BESIDE)[keyof typeof BESIDE];

/** A set of the states of an automaton: a bit a state. */
type StateSet = Uint32Array;

interface State {
  /** Where bytes have led to, before what needs no byte. */
  readonly kernel: StateSet;
  readonly before: Beside;
}

const WORD_BITS = 32;

/** Distinct states by number. */
class States {
  readonly all: State[] = [];
  readonly #byHash = new Map<number, number[]>();

  /** The number of a state; its set is copied when it is new. */
  intern(kernel: StateSet, before: Beside): number {
    let hash = before + 1;
    for (const word of kernel) hash = Math.imul(hash ^ word, 0x9E37_79B1) ^ hash >>> 15;
    const alike = this.#byHash.get(hash) ?? [];
    const known = alike.find((number) => {
      const state = this.all[number];
      return state?.before === before && state.kernel.every((word, i) => word === kernel[i]);
    });
    if (known !== undefined) return known;
    const number = this.all.push({ kernel: kernel.slice(), before }) - 1;
    this.#byHash.set(hash, [...alike, number]);
    return number;
  }
}

/**
 * Makes a table of an automaton (subset construction, Rabin and Scott 1959). Assertions are decided
 * one byte late, when both sides of their place are known.
 *
 * @param nfa The automaton.
 * @param classes Its classes of bytes.
 * @returns The table, or `undefined` when it has more than `DFA_CELLS_MAX` cells.
 */
export function buildDfa(nfa: Nfa, { samples }: ByteClasses): Dfa | undefined {
  const states = new States();
  const asserts = nfa.states.some(({ type }) => type === "assert");
  const classesOf = classesByState(nfa, samples);
  const afterOf = samples.map((byte) => asserts ? besideOf(byte) : BESIDE.other);
  // The start is in each set, for a match may begin at any place.
  const start = new Uint32Array(Math.ceil(nfa.states.length / WORD_BITS));
  include(start, nfa.start);
  const reached = samples.map(() => start.slice());
  states.intern(start, BESIDE.edge);
  const next: number[] = [];
  const atEnd: number[] = [];
  for (let i = 0; i < states.all.length; i++) {
    if (states.all.length * samples.length > DFA_CELLS_MAX) return undefined;
    const state = states.all[i];
    if (state === undefined) break;
    atEnd.push(closure(nfa, state, BESIDE.edge).matches ? 1 : 0);
    const row = new Array<number>(samples.length).fill(REGEX_DFA_ACCEPT);
    for (const after of new Set(afterOf)) {
      const { matches, asking } = closure(nfa, state, after);
      if (matches) continue;
      for (const set of reached) set.set(start);
      for (const { at, next: to } of asking) {
        for (const of of classesOf[at] ?? []) include(reached[of], to);
      }
      afterOf.forEach((beside, of) => {
        const set = reached[of];
        if (beside === after && set !== undefined) row[of] = states.intern(set, after);
      });
    }
    for (const to of row) next.push(to);
  }
  const table = {
    states: states.all.length,
    classes: samples.length,
    next: Uint16Array.from(next),
    acceptsAtEnd: Uint8Array.from(atEnd),
  };
  markDead(table);
  return table;
}

function include(set: StateSet | undefined, state: number): void {
  if (set === undefined) return;
  const word = Math.floor(state / WORD_BITS);
  set[word] = (set[word] ?? 0) | 1 << state % WORD_BITS;
}

/** Members of a set, upwards. */
function membersOf(set: StateSet): number[] {
  const members: number[] = [];
  set.forEach((word, i) => {
    for (let rest = word; rest !== 0; rest &= rest - 1) {
      members.push(i * WORD_BITS + 31 - Math.clz32(rest & -rest));
    }
  });
  return members;
}

/** What stands for the byte beside a place. */
function besideOf(byte: number): Beside {
  if (byte === 0x0A) return BESIDE.line;
  const isWord = WORD_BYTES.some(([first, last]) => byte >= first && byte <= last);
  return isWord ? BESIDE.word : BESIDE.other;
}

interface Closure {
  readonly matches: boolean;
  /** States that ask for a byte, and where it leads to. */
  readonly asking: readonly { readonly at: number; readonly next: number }[];
}

function closure(nfa: Nfa, { kernel, before }: State, after: Beside): Closure {
  const seen = new Uint8Array(nfa.states.length);
  const asking: { readonly at: number; readonly next: number }[] = [];
  const stack = membersOf(kernel);
  let matches = false;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (seen[at] === 1) continue;
    seen[at] = 1;
    const state = nfa.states[at];
    if (state?.type === "match") matches = true;
    else if (state?.type === "bytes") asking.push({ at, next: state.next });
    else if (state?.type === "split") stack.push(state.other, state.next);
    else if (state?.type === "assert" && holds(state.assertion, before, after)) {
      stack.push(state.next);
    }
  }
  return { matches, asking };
}

function holds(assertion: Assertion, before: Beside, after: Beside): boolean {
  const boundary = (before === BESIDE.word) !== (after === BESIDE.word);
  switch (assertion) {
    case "text_start":
      return before === BESIDE.edge;
    case "text_end":
      return after === BESIDE.edge;
    case "line_start":
      return before === BESIDE.edge || before === BESIDE.line;
    case "line_end":
      return after === BESIDE.edge || after === BESIDE.line;
    case "word_boundary":
      return boundary;
    case "not_word_boundary":
      return !boundary;
  }
}

/** Classes of bytes that each state takes. */
function classesByState(nfa: Nfa, samples: readonly number[]): readonly (readonly number[])[] {
  return nfa.states.map((state) => {
    if (state.type !== "bytes") return [];
    const isTaken = (byte: number) =>
      state.ranges.some(([first, last]) => byte >= first && byte <= last);
    return samples.flatMap((byte, of) => isTaken(byte) ? [of] : []);
  });
}

/** States from which no match can be reached end the search. */
function markDead({ states, classes, next, acceptsAtEnd }: Dfa): void {
  const alive = Uint8Array.from(acceptsAtEnd);
  for (let changed = true; changed;) {
    changed = false;
    // Most states lead to later ones, so that one round from the end is mostly enough.
    for (let state = states - 1; state >= 0; state--) {
      if (alive[state] === 1) continue;
      const row = next.subarray(state * classes, (state + 1) * classes);
      if (!row.some((to) => to === REGEX_DFA_ACCEPT || alive[to] === 1)) continue;
      alive[state] = 1;
      changed = true;
    }
  }
  next.forEach((to, cell) => {
    if (to !== REGEX_DFA_ACCEPT && alive[to] === 0) next[cell] = REGEX_DFA_DEAD;
  });
}
