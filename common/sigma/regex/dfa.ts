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

interface State {
  /** Where bytes have led to, before what needs no byte; sorted. */
  readonly kernel: readonly number[];
  readonly before: Beside;
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
  const states: State[] = [];
  const numberOf = new Map<string, number>();
  const intern = (kernel: readonly number[], before: Beside): number => {
    const key = `${before} ${kernel.join()}`;
    const known = numberOf.get(key);
    if (known !== undefined) return known;
    numberOf.set(key, states.length);
    return states.push({ kernel, before }) - 1;
  };
  const asserts = nfa.states.some(({ type }) => type === "assert");
  const classesOf = classesByState(nfa, samples);
  const afterOf = samples.map((byte) => asserts ? besideOf(byte) : BESIDE.other);
  intern([nfa.start], BESIDE.edge);
  const next: number[] = [];
  const atEnd: number[] = [];
  for (let i = 0; i < states.length; i++) {
    if (states.length * samples.length > DFA_CELLS_MAX) return undefined;
    const state = states[i];
    if (state === undefined) break;
    atEnd.push(closure(nfa, state, BESIDE.edge).matches ? 1 : 0);
    const row = new Array<number>(samples.length).fill(REGEX_DFA_ACCEPT);
    for (const after of new Set(afterOf)) {
      const { matches, asking } = closure(nfa, state, after);
      if (matches) continue;
      const reached = step(nfa, asking, { classesOf, classes: samples.length });
      // Most classes of bytes lead to the same place.
      const numbers = new Map<string, number>();
      afterOf.forEach((beside, of) => {
        if (beside !== after) return;
        const places = reached[of] ?? [];
        const key = places.join();
        const known = numbers.get(key);
        row[of] = known ?? intern(kernelOf(nfa, places), after);
        if (known === undefined) numbers.set(key, row[of]);
      });
    }
    for (const to of row) next.push(to);
  }
  const table = {
    states: states.length,
    classes: samples.length,
    next: Uint16Array.from(next),
    acceptsAtEnd: Uint8Array.from(atEnd),
  };
  markDead(table);
  return table;
}

/** What stands for the byte beside a place. */
function besideOf(byte: number): Beside {
  if (byte === 0x0A) return BESIDE.line;
  const isWord = WORD_BYTES.some(([first, last]) => byte >= first && byte <= last);
  return isWord ? BESIDE.word : BESIDE.other;
}

interface Closure {
  readonly matches: boolean;
  /** States that ask for a byte. */
  readonly asking: readonly number[];
}

function closure(nfa: Nfa, { kernel, before }: State, after: Beside): Closure {
  const seen = new Set<number>();
  const asking: number[] = [];
  const stack = [...kernel];
  let matches = false;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const state = nfa.states[at];
    if (state?.type === "match") matches = true;
    else if (state?.type === "bytes") asking.push(at);
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

/** Where each class of bytes leads to. */
function step(
  nfa: Nfa,
  asking: readonly number[],
  { classesOf, classes }: {
    readonly classesOf: readonly (readonly number[])[];
    readonly classes: number;
  },
): readonly (readonly number[])[] {
  const reached = Array.from({ length: classes }, (): number[] => []);
  for (const at of asking) {
    const state = nfa.states[at];
    if (state?.type !== "bytes") continue;
    for (const of of classesOf[at] ?? []) reached[of]?.push(state.next);
  }
  return reached;
}

/** The start is always there, for a match may begin at any place. */
function kernelOf(nfa: Nfa, reached: readonly number[]): readonly number[] {
  return [...new Set([nfa.start, ...reached])].sort((a, b) => a - b);
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
