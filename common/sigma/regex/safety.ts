import type { RegexFlags, RegexNode } from "./ast.ts";
import { RegexError } from "./error.ts";
import { areAmbiguous, ComparisonBudget } from "./overlap.ts";
import { parseRegex } from "./parse.ts";

/** From this score on a pattern is complex. */
export const COMPLEX_SCORE = 50;

/** What each part of a pattern adds to its score; the length adds a tenth of a point a character. */
const SCORES = { character: 1, class: 1, quantifier: 5, alternation: 10, group: 15 } as const;
const DANGER_SCORE = 100;
/** Repetitions of more than this count as without end. */
const REPEATS_SMALL_MAX = 10;

/**
 * What a pattern would do to a matcher that tries one way after the other. `DANGEROUS` loads all the
 * same where it has no back-reference: this product's matcher is linear for every pattern.
 */
export type PatternVerdict = "SAFE" | "COMPLEX" | "DANGEROUS" | "INVALID";

/** What the lint says of a pattern. */
export interface PatternSafety {
  readonly verdict: PatternVerdict;
  /** Sum over its parts; 0 for one that does not parse. */
  readonly score: number;
  /** One line; empty for `SAFE`. */
  readonly reason: string;
  /** Offset in the pattern, in UTF-16 units. */
  readonly at: number;
}

interface Danger {
  readonly at: number;
  readonly reason: string;
}

/**
 * Judges a pattern.
 *
 * @param pattern A pattern in RE2 syntax.
 * @param flags How it is read.
 * @returns Verdict, score, and the first place that led to it.
 */
export function assessPattern(pattern: string, flags: RegexFlags = {}): PatternSafety {
  let node: RegexNode;
  try {
    node = parseRegex(pattern, flags);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const { message: reason, at, feature } = error;
    // A back-reference is a danger of its own, and no pattern that this matcher can take.
    return feature === "back-reference"
      ? { verdict: "DANGEROUS", score: DANGER_SCORE, reason, at }
      : { verdict: "INVALID", score: 0, reason, at };
  }
  const lint: Lint = { dangers: [], budget: new ComparisonBudget() };
  const { dangers } = lint;
  const score = scoreOf(node, lint) + pattern.length / 10 + dangers.length * DANGER_SCORE;
  const [danger] = dangers.sort((a, b) => a.at - b.at);
  if (danger !== undefined) return { verdict: "DANGEROUS", score, ...danger };
  if (score < COMPLEX_SCORE) return { verdict: "SAFE", score, reason: "", at: 0 };
  const reason = `Score ${score.toFixed(1)} is ${COMPLEX_SCORE} or more; split the pattern`;
  return { verdict: "COMPLEX", score, reason, at: 0 };
}

/** What was found so far, and what may still be spent on finding more. */
interface Lint {
  readonly dangers: Danger[];
  readonly budget: ComparisonBudget;
}

function scoreOf(node: RegexNode, lint: Lint): number {
  switch (node.type) {
    case "empty":
      return 0;
    case "assert":
      return SCORES.character;
    case "set":
      return isCharacter(node) ? SCORES.character : SCORES.class;
    case "group":
      return SCORES.group + scoreOf(node.of, lint);
    case "concat":
      return node.of.reduce((sum, part) => sum + scoreOf(part, lint), 0);
    case "alternate": {
      const bars = (node.of.length - 1) * SCORES.alternation;
      return node.of.reduce((sum, part) => sum + scoreOf(part, lint), bars);
    }
    case "repeat": {
      const danger = isLong(node) ? dangerOf(node.of, lint.budget) : undefined;
      if (danger !== undefined) lint.dangers.push({ at: node.at, reason: danger });
      return SCORES.quantifier + scoreOf(node.of, lint);
    }
  }
}

function isCharacter({ ranges }: Extract<RegexNode, { type: "set" }>): boolean {
  const [only] = ranges;
  return ranges.length === 1 && only !== undefined && only[0] === only[1];
}

/** Whether a repetition may go on for long. */
function isLong({ max }: Extract<RegexNode, { type: "repeat" }>): boolean {
  return max > REPEATS_SMALL_MAX;
}

/** Why what is repeated can be read in many ways. */
function dangerOf(node: RegexNode, budget: ComparisonBudget): string | undefined {
  switch (node.type) {
    case "group":
      return dangerOf(node.of, budget);
    case "repeat":
      if (isLong(node) && node.min !== node.max) {
        return "A quantifier repeats a part that has one itself; the text can be split in many ways";
      }
      return dangerOf(node.of, budget);
    case "alternate":
      if (areAmbiguous(node.of, budget)) {
        return "Branches of a repeated alternation match the same text; keep one of them";
      }
      return firstDanger(node.of, budget);
    case "concat":
      return firstDanger(node.of, budget);
    default:
      return undefined;
  }
}

function firstDanger(
  parts: readonly RegexNode[],
  budget: ComparisonBudget,
): string | undefined {
  for (const part of parts) {
    const danger = dangerOf(part, budget);
    if (danger !== undefined) return danger;
  }
  return undefined;
}
