import type { RegexNode } from "./ast.ts";
import { RegexError } from "./error.ts";
import { exactTexts } from "./literals.ts";
import { buildNfa, type Nfa } from "./nfa.ts";

/** Most pairs of states that a comparison visits; a larger one finds nothing. */
const PAIRS_MAX = 4096;

/**
 * Whether a text can be read through branches in more than one way, when one of them is taken again
 * and again: for branches of few texts by unique decodability (Sardinas and Patterson 1953), else
 * when two branches share a text.
 *
 * @param branches Branches of an alternation.
 */
export function areAmbiguous(branches: readonly RegexNode[]): boolean {
  const texts = branches.map(exactTexts);
  if (texts.every((each) => each !== undefined)) return !isUniquelyDecodable(texts.flat());
  const automata = branches.flatMap((branch) => {
    try {
      return [buildNfa(branch)];
    } catch (error) {
      if (error instanceof RegexError) return [];
      throw error;
    }
  });
  return automata.some((a, i) => automata.slice(i + 1).some((b) => shareText(a, b)));
}

function isUniquelyDecodable(words: readonly string[]): boolean {
  const code = new Set(words);
  if (code.size < words.length || code.has("")) return false;
  const seen = new Set<string>();
  let dangling = new Set(suffixes(code, code).filter((rest) => rest !== ""));
  while (dangling.size > 0) {
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
function shareText(a: Nfa, b: Nfa): boolean {
  const seen = new Set<number>();
  const stack: [number, number][] = [[a.start, b.start]];
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [atA, atB] = pair;
    const key = atA * b.states.length + atB;
    if (seen.has(key)) continue;
    if (seen.size >= PAIRS_MAX) return false;
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
