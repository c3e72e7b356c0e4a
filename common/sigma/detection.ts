import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import type { Step } from "./document.ts";
import { and, type Expression, or, testsOf } from "./expression.ts";
import { TESTS_PER_RULE_MAX } from "./limits.ts";
import { invalid, type Position, unsupported } from "./problem.ts";
import { type Locate, parseSelection } from "./selection.ts";

const PATH: readonly Step[] = ["detection"];

/**
 * Reads the `detection` of a rule: its selections, joined by its condition or conditions.
 *
 * @param detection The section as plain values.
 * @param options `locate`: the document's places.
 * @returns What the rule asks of an event.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseDetection(
  detection: Readonly<Record<string, unknown>>,
  options: { readonly locate: Locate },
): Expression {
  const { locate } = options;
  const selections = new Map<string, Expression>();
  for (const [name, value] of Object.entries(detection)) {
    const path = [...PATH, name];
    if (name === "timeframe") throw unsupported("timeframe", locate(path));
    if (name !== "condition") selections.set(name, parseSelection(value, path, { locate }));
  }
  const { condition } = detection;
  const list: readonly unknown[] = Array.isArray(condition) ? condition : [condition];
  if (list.length === 0) throw invalid(`"condition" is an empty list`, locate(PATH));
  const budget = { tests: TESTS_PER_RULE_MAX };
  return or(list.map((text, i) => {
    const position = locate([...PATH, "condition", ...(Array.isArray(condition) ? [i] : [])]);
    if (typeof text !== "string") throw invalid(`"condition" is missing or no text`, position);
    return resolve(read(text, position), { selections, position, budget });
  }));
}

interface Scope {
  readonly selections: ReadonlyMap<string, Expression>;
  readonly position: Position;
  /** Field tests that the rule may still have. */
  readonly budget: { tests: number };
}

function read(text: string, position: Position): Condition {
  try {
    return parseCondition(text);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    if (error.feature !== undefined) throw unsupported(error.feature, position);
    throw invalid(`${error.message} (at character ${error.at + 1} of "${text}")`, position);
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
      const names = namesLike(condition.names, scope.selections);
      if (names.length === 0) {
        throw invalid(`Condition names "${condition.names}": no selection is so`, scope.position);
      }
      const of = names.map((name) => use(scope, name));
      if (condition.count === "all") return and(of);
      if (condition.count === 1) return or(of);
      if (condition.count > of.length) {
        const reason = `Condition wants ${condition.count} of ${of.length} selections`;
        throw invalid(reason, scope.position);
      }
      return { kind: "at_least", count: condition.count, of };
    }
  }
}

function use({ selections, position, budget }: Scope, name: string): Expression {
  const selection = selections.get(name);
  if (selection === undefined) {
    throw invalid(`Condition names "${name}": there is no such selection`, position);
  }
  for (const _ of testsOf(selection)) budget.tests--;
  if (budget.tests < 0) {
    throw invalid(`Rule has more than ${TESTS_PER_RULE_MAX} field tests; split it`, position);
  }
  return selection;
}

/** Selections whose name starts with `_` are meant only when the pattern starts so too. */
function namesLike(names: string, selections: ReadonlyMap<string, Expression>): readonly string[] {
  const wanted = names.toLowerCase() === "them" ? "*" : names;
  const source = wanted.split("*").map((part) => part.replaceAll(/[.\-]/g, "\\$&")).join(".*");
  const like = new RegExp(`^${source}$`);
  return [...selections.keys()].filter((name) =>
    like.test(name) && (!name.startsWith("_") || wanted.startsWith("_"))
  );
}
