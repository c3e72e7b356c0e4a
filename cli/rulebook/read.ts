import {
  compileRules,
  type CorrelationRule,
  parseRules,
  readRuleSources,
  type Rule,
  type RuleInfo,
  type RuleRejection,
  type RuleSet,
  type RuleSource,
} from "../../common/sigma/mod.ts";

/** Rules of some files, compiled, and as they were written. */
export interface Rulebook {
  readonly ruleSet: RuleSet;
  readonly sources: readonly RuleSource[];
  /** What rules ask for, by their ids; without correlations. */
  readonly written: ReadonlyMap<string, Rule>;
}

/** A rule, a correlation, or what did not load. */
export type Entry =
  | { readonly kind: "rule"; readonly rule: RuleInfo; readonly index: number }
  | { readonly kind: "correlation"; readonly rule: CorrelationRule }
  | { readonly kind: "rejected"; readonly rule: RuleRejection };

/**
 * Reads and compiles rules.
 *
 * @param paths Files and folders, in the order that decides which of two equal ids stays.
 * @returns The rules.
 * @throws {ImmuneError} `FILE_UNREADABLE`, `RULE_SET_TOO_LARGE`.
 */
export async function readRulebook(paths: readonly string[]): Promise<Rulebook> {
  const sources = (await Promise.all(paths.map((path) => readRuleSources(path)))).flat();
  return {
    ruleSet: compileRules(sources),
    sources,
    written: new Map(parseRules(sources).rules.map(({ rule }) => [rule.id, rule])),
  };
}

/**
 * Everything that stands in the files, in their order.
 *
 * @param ruleSet Compiled rules.
 * @returns An entry for each rule, correlation and rejection, by path and line.
 */
export function entriesOf({ rules, correlations, rejected }: RuleSet): readonly Entry[] {
  const entries: Entry[] = [
    ...rules.map((rule, index): Entry => ({ kind: "rule", rule, index })),
    ...correlations.map((rule): Entry => ({ kind: "correlation", rule })),
    ...rejected.map((rule): Entry => ({ kind: "rejected", rule })),
  ];
  return entries.sort(({ rule: a }, { rule: b }) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line
  );
}
