import type { RegexNode } from "./ast.ts";
import { RegexError } from "./error.ts";
import { exactTexts } from "./literals.ts";
import { buildNfa, type Nfa } from "./nfa.ts";

/**
 * Most steps that comparisons of one pattern take together: states that are made, pairs of states
 * and pairs of texts that are looked at (measured: some 0.1 µs each).
 */
export const COMPARISON_STEPS_MAX = 4096;

/** Counts the steps of the comparisons of one pattern. */
export class ComparisonBudget {
  #left = COMPARISON_STEPS_MAX;

  /** Nothing more is looked for. */
  get isSpent(): boolean {
    return this.#left < 0;
  }

  /**
   * Takes steps.
   *
   * @param steps How many.
   * @returns False when there are none left: what is not found yet is not looked for any more.
   */
  take(steps = 1): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

/**
 * Whether a text can be read through branches in more than one way, when one of them is taken again
 * and again: for branches of few texts by unique decodability (Sardinas and Patterson 1953), else
 * when two branches share a text.
 *
 * @param branches Branches of an alternation.
 * @param budget Steps that are left; without any, nothing is found.
 */
export function areAmbiguous(
  branches: readonly RegexNode[],
  budget: ComparisonBudget = new ComparisonBudget(),
): boolean {
  if (budget.isSpent || !budget.take(sumOf(branches, partsOf))) return false;
  const texts = branches.map(exactTexts);
  if (texts.every((each) => each !== undefined)) return !isUniquelyDecodable(texts.flat(), budget);
  const automata: Nfa[] = [];
  for (const branch of branches) {
    const automaton = automatonOf(branch, budget);
    if (automaton === undefined) continue;
    if (automata.some((other) => shareText([automaton, other], budget))) return true;
    automata.push(automaton);
  }
  return false;
}

/** The automaton of a branch; `undefined` for one that is too large to be looked at. */
function automatonOf(branch: RegexNode, budget: ComparisonBudget): Nfa | undefined {
  if (!budget.take(statesOf(branch))) return undefined;
  try {
    return buildNfa(branch);
  } catch (error) {
    if (error instanceof RegexError) return undefined;
    throw error;
  }
}

/** How many parts a part has, all told. */
function partsOf(node: RegexNode): number {
  if (node.type === "concat" || node.type === "alternate") return 1 + sumOf(node.of, partsOf);
  return node.type === "group" || node.type === "repeat" ? 1 + partsOf(node.of) : 1;
}

/** About as many states as the automaton of a part will have. */
function statesOf(node: RegexNode): number {
  if (node.type === "concat" || node.type === "alternate") return 1 + sumOf(node.of, statesOf);
  if (node.type === "group") return statesOf(node.of);
  if (node.type !== "repeat") return 1;
  const times = node.max === Infinity ? node.min : node.max;
  return 1 + Math.max(times, 1) * statesOf(node.of);
}

function sumOf(nodes: readonly RegexNode[], count: (node: RegexNode) => number): number {
  return nodes.reduce((sum, node) => sum + count(node), 0);
}

function isUniquelyDecodable(words: readonly string[], budget: ComparisonBudget): boolean {
  const code = new Set(words);
  if (code.size < words.length || code.has("")) return false;
  if (!budget.take(code.size * code.size)) return true;
  const seen = new Set<string>();
  let dangling = new Set(suffixes(code, code).filter((rest) => rest !== ""));
  while (dangling.size > 0) {
    if (!budget.take(2 * code.size * dangling.size)) return true;
    const next = new Set<string>();
    for (const rest of dangling) {
      if (code.has(rest)) return false;
      seen.add(rest);
    }
    for (const rest of [...suffixes(code, dangling), ...suffixes(dangling, code)]) {
      if (rest === "") return false;
      if (!seen.has(rest)) next.add(rest);
    }
    dangling = next;
  }
  return true;
}

/** What is left of words that start with one of the others. */
function suffixes(starts: Iterable<string>, words: ReadonlySet<string>): string[] {
  return [...starts].flatMap((start) =>
    [...words].filter((word) => word !== start && word.startsWith(start))
      .map((word) => word.slice(start.length))
  );
}

/** Whether a text leads both automata from their start to their end; assertions are passed. */
function shareText([a, b]: readonly [Nfa, Nfa], budget: ComparisonBudget): boolean {
  const seen = new Set<number>();
  const stack: [number, number][] = [[a.start, b.start]];
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [atA, atB] = pair;
    const key = atA * b.states.length + atB;
    if (seen.has(key)) continue;
    if (!budget.take()) return false;
    seen.add(key);
    const [stateA, stateB] = [a.states[atA], b.states[atB]];
    if (stateA === undefined || stateB === undefined) continue;
    if (stateA.type === "split") stack.push([stateA.next, atB], [stateA.other, atB]);
    else if (stateA.type === "assert") stack.push([stateA.next, atB]);
    else if (stateB.type === "split") stack.push([atA, stateB.next], [atA, stateB.other]);
    else if (stateB.type === "assert") stack.push([atA, stateB.next]);
    else if (stateA.type === "match" || stateB.type === "match") {
      if (stateA.type === stateB.type) return true;
    } else if (
      stateA.ranges.some(([first, last]) =>
        stateB.ranges.some((other) => first <= other[1] && other[0] <= last)
      )
    ) stack.push([stateA.next, stateB.next]);
  }
  return false;
}
