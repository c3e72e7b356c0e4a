import { testsOf } from "../../common/sigma/expression.ts";
import type { Rule } from "../../common/sigma/mod.ts";
import { Plan } from "../../common/sigma/plan.ts";
import { assessPattern, type PatternVerdict } from "../../common/sigma/regex/mod.ts";

/** What a rule costs the engine. */
export interface RuleCost {
  /** Distinct tests of fields. */
  readonly tests: number;
  /** Tests of which one must hold before the rule is looked at. */
  readonly candidates: number;
  /** True when it is looked at on every event of its log source. */
  readonly always: boolean;
  /** Distinct regular expressions. */
  readonly regexes: number;
  /** Tests tried on every value of their field, as they have no literal that would lead to them. */
  readonly unguided: number;
}

/** What the lint says of one regular expression of a rule. */
export interface PatternReport {
  readonly field: string;
  readonly pattern: string;
  readonly verdict: PatternVerdict;
  readonly score: number;
  /** Offset in the pattern, in UTF-16 units. */
  readonly at: number;
  /** Empty for `SAFE`. */
  readonly reason: string;
}

/**
 * Works out what a rule would cost if it were alone.
 *
 * @param rule Rule with its filters.
 * @returns Counts, by what the compiler makes of it.
 * @throws {RuleProblem} when it does not fit in an image.
 */
export function costOf(rule: Rule): RuleCost {
  const plan = new Plan();
  plan.add(rule);
  const asked = plan.atoms.filter(({ op }) => op !== "present");
  return {
    tests: asked.length,
    candidates: plan.atoms.filter(({ candidates }) => candidates.length > 0).length,
    always: plan.always.length > 0,
    regexes: plan.atoms.filter(({ op }) => op === "regex").length,
    unguided:
      plan.atoms.filter(({ op, alone }) =>
        alone && (op === "regex" || op === "glob" || op === "fieldref")
      ).length,
  };
}

/**
 * Judges the regular expressions of a rule.
 *
 * @param rule Rule with its filters.
 * @returns A report for each distinct one, in the order of the rule.
 */
export function patternsOf({ expression }: Rule): readonly PatternReport[] {
  const reports = new Map<string, PatternReport>();
  for (const { field, criterion } of testsOf(expression)) {
    if (criterion.type !== "regex") continue;
    const { source, ignoreCase, multiline, dotAll } = criterion;
    const judged = assessPattern(source, { ignoreCase, multiline, dotAll });
    reports.set(`${field}\n${source}`, { field, pattern: source, ...judged });
  }
  return [...reports.values()];
}
