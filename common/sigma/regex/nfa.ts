import type { Assertion, CodeRange, RegexNode } from "./ast.ts";
import { RegexError } from "./error.ts";
import { REGEX_STATES_MAX } from "./layout.ts";
import { type ByteRange, utf8Sequences } from "./utf8.ts";

/** A state: what it asks, and where it leads. */
export type NfaState =
  | { readonly type: "bytes"; readonly ranges: readonly ByteRange[]; next: number }
  | { readonly type: "split"; next: number; other: number }
  | { readonly type: "assert"; readonly assertion: Assertion; next: number }
  | { readonly type: "match" };

/** A non-deterministic automaton over bytes (Thompson 1968). */
export interface Nfa {
  readonly states: readonly NfaState[];
  readonly start: number;
}

/** A state that does not know yet where it leads. */
const OPEN = -1;
const ASCII_LAST = 0x7F;
const BYTES_BEYOND_ASCII: ByteRange = [0x80, 0xFF];

/**
 * Builds the automaton of a syntax tree.
 *
 * @param node The tree.
 * @returns States, backwards: what comes later in the pattern has a lower number.
 * @throws {RegexError} when it would have more than `REGEX_STATES_MAX` states.
 */
export function buildNfa(node: RegexNode): Nfa {
  const builder = new NfaBuilder();
  const match = builder.add({ type: "match" }, 0);
  return { start: builder.build(node, match), states: builder.states };
}

class NfaBuilder {
  readonly states: NfaState[] = [];

  add(state: NfaState, at: number): number {
    if (this.states.length >= REGEX_STATES_MAX) {
      throw new RegexError(`Pattern needs more than ${REGEX_STATES_MAX} states; repeat less`, at);
    }
    return this.states.push(state) - 1;
  }

  /** The state that asks for a part and then leads to `next`. */
  build(node: RegexNode, next: number): number {
    switch (node.type) {
      case "empty":
        return next;
      case "group":
        return this.build(node.of, next);
      case "assert":
        return this.add({ type: "assert", assertion: node.assertion, next }, node.at);
      case "concat":
        return node.of.reduceRight((to, part) => this.build(part, to), next);
      case "alternate":
        return this.#either(node.of.map((part) => this.build(part, next)), node.at);
      case "set":
        return this.#set(node, next);
      case "repeat":
        return this.#repeat(node, next);
    }
  }

  #either(starts: readonly number[], at: number): number {
    return starts.reduceRight((other, next) => this.add({ type: "split", next, other }, at));
  }

  #set(
    { ranges, open, at }: { readonly ranges: readonly CodeRange[]; open: boolean; at: number },
    next: number,
  ): number {
    const single: ByteRange[] = ranges.filter(([first]) => first <= ASCII_LAST)
      .map(([first, last]) => [first, Math.min(last, ASCII_LAST)]);
    if (open) single.push(BYTES_BEYOND_ASCII);
    const starts: number[] = [];
    const beyond = open ? [] : ranges.filter(([, last]) => last > ASCII_LAST);
    for (const [first, last] of beyond) {
      for (const sequence of utf8Sequences([Math.max(first, ASCII_LAST + 1), last])) {
        starts.push(sequence.reduceRight(
          (to, range) => this.add({ type: "bytes", ranges: [range], next: to }, at),
          next,
        ));
      }
    }
    // A set of nothing stays a state that no byte passes.
    if (single.length > 0 || starts.length === 0) {
      starts.push(this.add({ type: "bytes", ranges: single, next }, at));
    }
    return this.#either(starts, at);
  }

  #repeat(
    { of, min, max, at }: { readonly of: RegexNode; min: number; max: number; at: number },
    next: number,
  ): number {
    let to = next;
    if (max === Infinity) {
      const loop = this.add({ type: "split", next: OPEN, other: to }, at);
      const body = this.build(of, loop);
      const split = this.states[loop];
      if (split?.type === "split") split.next = body;
      // `x+` asks once and then loops; `x*` may leave at once.
      to = min > 0 ? body : loop;
      for (let i = 1; i < min; i++) to = this.build(of, to);
      return to;
    }
    for (let i = min; i < max; i++) {
      to = this.add({ type: "split", next: this.build(of, to), other: next }, at);
    }
    for (let i = 0; i < min; i++) to = this.build(of, to);
    return to;
  }
}
