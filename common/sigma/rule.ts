import * as z from "zod";
import { ABOUT, type About, aboutOf, checked, SCALAR } from "./about.ts";
import { type Detection, parseDetection } from "./detection.ts";
import type { RuleDocument } from "./document.ts";
import type { Expression } from "./expression.ts";
import type { LogSource } from "./log_source.ts";
import { LOG_SOURCE, logSourceOf } from "./log_source_keys.ts";
import { invalid, type Position } from "./problem.ts";
import type { RuleOptions } from "./selection.ts";

export { type Level, SEVERITIES } from "./severity.ts";

/** Fields of an event, by Sigma name. `null` is the same as absent. */
export type ExampleEvent = Readonly<Record<string, string | null>>;

/** Events that a rule brings along. */
export interface RuleExamples {
  /** Events that must fire it. */
  readonly must: readonly ExampleEvent[];
  /** Events that must not fire it. */
  readonly mustNot: readonly ExampleEvent[];
}

/** A filter document's part in a rule. */
export interface AppliedFilter {
  readonly title: string;
  readonly detection: Detection;
  /** The rule fires only where the filter's condition holds; else: only where it does not. */
  readonly keeps: boolean;
}

/** A rule as it was written: what it says of itself, and what it asks of an event. */
export interface Rule extends About {
  readonly logSource: LogSource;
  readonly examples: RuleExamples;
  readonly position: Position;
  readonly detection: Detection;
  readonly filters: readonly AppliedFilter[];
  /** What detection and filters ask for together. */
  readonly expression: Expression;
}

/** What a compiler needs of a rule. */
export type RuleLogic = Pick<Rule, "id" | "logSource" | "position" | "expression">;

const EXAMPLE = z.record(
  z.string(),
  SCALAR.nullable().transform((value) => value === null ? null : `${value}`),
);
/** A list of events. */
export const EXAMPLES = z.array(EXAMPLE).default([]);

const RULE = ABOUT.extend({
  logsource: LOG_SOURCE,
  detection: z.record(z.string(), z.unknown()),
  immune: z.looseObject({ must: EXAMPLES, must_not: EXAMPLES }).optional(),
});

/**
 * Reads a rule (Sigma rules specification 2.1).
 *
 * @param document A document of a rule file.
 * @param options Values of placeholders.
 * @returns The rule.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseRule(document: RuleDocument, options: RuleOptions = {}): Rule {
  const { value, start, position } = document;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("Document is no rule: it is not a map", start);
  }
  const keys = checked(document, RULE);
  const detection = parseDetection(keys.detection, {
    path: ["detection"],
    locate: position,
    ...options,
  });
  return {
    ...aboutOf(document, keys),
    logSource: logSourceOf(keys.logsource),
    examples: { must: keys.immune?.must ?? [], mustNot: keys.immune?.must_not ?? [] },
    position: start,
    detection,
    filters: [],
    expression: detection.expression,
  };
}
