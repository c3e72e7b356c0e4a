import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import type { Step } from "./document.ts";
import { and, type Expression, or, testsOf } from "./expression.ts";
import { TESTS_PER_RULE_MAX } from "./limits.ts";
import { namesLike } from "./names_like.ts";
import { invalid, type Position, RuleProblem } from "./problem.ts";
import { parseSelection, type SelectionOptions, type TestBudget } from "./selection.ts";

/** A condition as it stands, and what it asks of an event. */
export interface DetectionCondition {
  readonly text: string;
  readonly expression: Expression;
}

/** Named selections, joined by conditions. */
export interface Detection {
  readonly selections: ReadonlyMap<string, Expression>;
  /** Any of them; a filter has one. */
  readonly conditions: readonly DetectionCondition[];
  /** All of it. */
  readonly expression: Expression;
  /** Field tests of all selections, used or not. */
  readonly tests: number;
}

/** How a detection is read. */
export interface DetectionOptions extends Omit<SelectionOptions, "budget"> {
  /** Steps to it. */
  readonly path: readonly Step[];
  /** Keys that are no selections, beside `condition`. Default: none. */
  readonly except?: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Reads the `detection` of a rule: its selections, joined by its condition or conditions.
 *
 * @param detection The section as plain values.
 * @param options Where it stands, and the document's places.
 * @returns What the rule asks of an event.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseDetection(
  detection: Readonly<Record<string, unknown>>,
  options: DetectionOptions,
): Detection {
  const { locate, path, except = NOTHING } = options;
  const selections = new Map<string, Expression>();
  const made: TestBudget = { tests: TESTS_PER_RULE_MAX };
  for (const [name, value] of Object.entries(detection)) {
    if (name === "condition" || except.has(name)) continue;
    if (name === "timeframe") throw aggregation("timeframe", locate([...path, name]));
    selections.set(name, parseSelection(value, [...path, name], { ...options, budget: made }));
  }
  const { condition } = detection;
  const list: readonly unknown[] = Array.isArray(condition) ? condition : [condition];
  if (list.length === 0) throw invalid(`"condition" is an empty list`, locate(path));
  const budget: TestBudget = { tests: TESTS_PER_RULE_MAX };
  const conditions = list.map((text, i) => {
    const place = [...path, "condition", ...(Array.isArray(condition) ? [i] : [])];
    const position = () => locate(place);
    if (typeof text !== "string") {
      throw invalid(`"condition" is missing or no text`, position());
    }
    return { text, expression: resolve(read(text, position), { selections, position, budget }) };
  });
  return {
    selections,
    conditions,
    expression: or(conditions.map((one) => one.expression)),
    tests: TESTS_PER_RULE_MAX - made.tests,
  };
}

interface Scope {
  readonly selections: ReadonlyMap<string, Expression>;
  readonly position: () => Position;
  /** Field tests that the rule may still have. */
  readonly budget: TestBudget;
}

/** Sigma 1 counted in the condition; Sigma 2 has correlation rules for it. */
function aggregation(feature: string, position: Position): RuleProblem {
  const reason = `${feature} is of Sigma 1; write a correlation rule with a timespan instead`;
  return new RuleProblem("RULE_UNSUPPORTED", reason, { position, feature });
}

function read(text: string, position: () => Position): Condition {
  try {
    return parseCondition(text);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    if (error.feature !== undefined) throw aggregation(error.feature, position());
    throw invalid(`${error.message} (at character ${error.at + 1} of "${text}")`, position());
  }
}

function resolve(condition: Condition, scope: Scope): Expression {
  switch (condition.kind) {
    case "and":
      return and(condition.of.map((inner) => resolve(inner, scope)));
    case "or":
      return or(condition.of.map((inner) => resolve(inner, scope)));
    case "not":
      return { kind: "not", of: resolve(condition.of, scope) };
    case "name":
      return use(scope, condition.name);
    case "of": {
      const names = namesLike(condition.names, [...scope.selections.keys()]);
      if (names.length === 0) {
        throw invalid(`Condition names "${condition.names}": no selection is so`, scope.position());
      }
      const of = names.map((name) => use(scope, name));
      if (condition.count === "all") return and(of);
      if (condition.count === 1) return or(of);
      if (condition.count > of.length) {
        const reason = `Condition wants ${condition.count} of ${of.length} selections`;
        throw invalid(reason, scope.position());
      }
      return { kind: "at_least", count: condition.count, of };
    }
  }
}

function use({ selections, position, budget }: Scope, name: string): Expression {
  const selection = selections.get(name);
  if (selection === undefined) {
    throw invalid(`Condition names "${name}": there is no such selection`, position());
  }
  for (const _ of testsOf(selection)) budget.tests--;
  if (budget.tests < 0) {
    throw invalid(`Rule has more than ${TESTS_PER_RULE_MAX} field tests; split it`, position());
  }
  return selection;
}
