import * as z from "zod";
import { ABOUT, type About, aboutOf, checked, SCALAR } from "./about.ts";
import { type Condition, parseCondition } from "./condition.ts";
import { type Detection, parseDetection } from "./detection.ts";
import type { RuleDocument } from "./document.ts";
import { and, type Expression, testsOf } from "./expression.ts";
import { TESTS_PER_RULE_MAX } from "./limits.ts";
import type { LogSource } from "./log_source.ts";
import { LOG_SOURCE, logSourceOf } from "./log_source_keys.ts";
import { invalid, type Position } from "./problem.ts";
import type { Rule } from "./rule.ts";
import type { RuleOptions } from "./selection.ts";

/** A filter document: an exclusion that many rules share. */
export interface Filter extends About {
  readonly logSource: LogSource;
  /** Ids or names of the rules that it is for. */
  readonly rules: "any" | readonly string[];
  readonly detection: Detection;
  /** Its condition says which events stay, not which are left out. */
  readonly keeps: boolean;
  readonly position: Position;
}

const FILTER = ABOUT.extend({
  logsource: LOG_SOURCE,
  filter: z.record(z.string(), z.unknown()),
});
const REFERENCES = z.union([z.array(SCALAR.transform(String)), SCALAR.transform(String)]);
const ANY_RULE: ReadonlySet<string> = new Set(["any", "all"]);
const EXCEPT: ReadonlySet<string> = new Set(["rules"]);

/**
 * Reads a filter document (Sigma filters specification 2.1).
 *
 * @param document A document with the key `filter`.
 * @param options Values of placeholders.
 * @returns The filter.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseFilter(document: RuleDocument, options: RuleOptions = {}): Filter {
  const { position } = document;
  const keys = checked(document, FILTER);
  const path = ["filter"];
  const references = REFERENCES.safeParse(keys.filter["rules"]);
  if (!references.success) {
    const reason = `Key "filter.rules" is missing or no list; name rules, or "any"`;
    throw invalid(reason, position([...path, "rules"]));
  }
  const detection = parseDetection(keys.filter, {
    path,
    locate: position,
    except: EXCEPT,
    ...options,
  });
  return {
    ...aboutOf(document, keys),
    logSource: logSourceOf(keys.logsource),
    rules: rulesOf(references.data),
    detection,
    keeps: detection.conditions.every(({ text }) => saysWhatStays(parseCondition(text))),
    position: document.start,
  };
}

function rulesOf(references: string | readonly string[]): "any" | readonly string[] {
  if (typeof references !== "string") return references.length === 0 ? "any" : references;
  return ANY_RULE.has(references.toLowerCase()) ? "any" : [references];
}

/**
 * Sigma's own example leaves out what its condition names (`selection`); other tools join the
 * condition by `and`, so that filters for them are negations throughout (`not selection`). One
 * that only negates says what stays.
 */
function saysWhatStays(condition: Condition): boolean {
  if (condition.kind === "and") return condition.of.every(saysWhatStays);
  return condition.kind === "not";
}

/**
 * Whether a filter is for a rule.
 *
 * @param filter The filter; what its log source leaves open is not asked.
 * @param rule The rule.
 * @returns True when its matches are to be filtered.
 */
export function isFor(filter: Filter, rule: Rule): boolean {
  const { category, product, service } = filter.logSource;
  const fits = (a: string | undefined, b: string | undefined) => a === undefined || a === b;
  const { logSource } = rule;
  if (!fits(category, logSource.category) || !fits(product, logSource.product)) return false;
  if (!fits(service, logSource.service)) return false;
  return filter.rules === "any" || filter.rules.includes(rule.id) ||
    (rule.name !== "" && filter.rules.includes(rule.name));
}

/**
 * Adds filters to a rule.
 *
 * @param rule The rule.
 * @param filters Those that are for it.
 * @returns A rule that fires only where no filter leaves the event out.
 * @throws {RuleProblem} when it then has too many tests.
 */
export function filtered(rule: Rule, filters: readonly Filter[]): Rule {
  if (filters.length === 0) return rule;
  const expression = and([
    rule.expression,
    ...filters.map(({ detection, keeps }): Expression =>
      keeps ? detection.expression : { kind: "not", of: detection.expression }
    ),
  ]);
  let tests = 0;
  for (const _ of testsOf(expression)) tests++;
  if (tests > TESTS_PER_RULE_MAX) {
    const reason = `Rule and its filters have more than ${TESTS_PER_RULE_MAX} field tests`;
    throw invalid(`${reason}; split one`, rule.position);
  }
  const applied = filters.map(({ title, detection, keeps }) => ({ title, detection, keeps }));
  return { ...rule, filters: applied, expression };
}
