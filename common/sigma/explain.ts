import { describeCriterion } from "./criterion.ts";
import type { Detection } from "./detection.ts";
import { type Expression, type FieldTest, testsOf } from "./expression.ts";
import { encodeImage } from "./image.ts";
import { Plan } from "./plan.ts";
import type { Rule } from "./rule.ts";

/** A test of a field, and what an event made of it. */
export interface ExplainedTest {
  readonly kind: "test";
  /** Name of the field; empty: all values of the event. */
  readonly field: string;
  /** What the field must be like, for people. */
  readonly wants: string;
  /** What it is; absent when the event does not have it. */
  readonly value?: string;
  readonly holds: boolean;
}

/** Tests that stand together, and whether they hold together. */
export interface ExplainedGroup {
  readonly kind: "and" | "or" | "not" | "at_least";
  /** How many must hold, for `at_least`. */
  readonly count?: number;
  readonly of: readonly Explained[];
  readonly holds: boolean;
}

/** A part of a rule, judged. */
export type Explained = ExplainedTest | ExplainedGroup;

/** Selections and conditions, judged. */
export interface ExplainedDetection {
  readonly holds: boolean;
  readonly selections: readonly {
    readonly name: string;
    readonly holds: boolean;
    readonly of: Explained;
  }[];
  /** As they stand in the rule. */
  readonly conditions: readonly { readonly text: string; readonly holds: boolean }[];
}

/** A filter of a rule, judged. */
export interface ExplainedFilter extends ExplainedDetection {
  readonly title: string;
  /** The filter leaves the event out, so that the rule is silent. */
  readonly leavesOut: boolean;
}

/** Why a rule fires on an event or does not. */
export interface Explanation {
  /** Its detection holds and no filter leaves the event out. */
  readonly holds: boolean;
  readonly detection: ExplainedDetection;
  readonly filters: readonly ExplainedFilter[];
}

/** What an event made of a rule's tests. */
export interface ExplainOptions {
  /** Tests that hold, of those that `probesOf` gave. */
  readonly held: ReadonlySet<FieldTest>;
  /** Value of a field of the event. */
  readonly valueOf: (field: string) => string | undefined;
}

/** A rule's tests as an image of their own: rule n of the image is test n. */
export interface Probes {
  readonly image: Uint8Array<ArrayBuffer>;
  /** Names of the tested fields; index = field index in the image. */
  readonly fields: readonly string[];
  readonly tests: readonly FieldTest[];
}

/**
 * Takes a rule apart, so that the engine itself says which of its tests hold.
 *
 * @param rule Rule with its filters.
 * @returns An image to publish to an engine of its own.
 * @throws {ImmuneError} `RULE_SET_TOO_LARGE` when its tests do not fit in an image.
 */
export function probesOf({ position, detection, filters }: Rule): Probes {
  const tests = new Set<FieldTest>();
  for (const { selections } of [detection, ...filters.map((filter) => filter.detection)]) {
    for (const selection of selections.values()) {
      for (const test of testsOf(selection)) tests.add(test);
    }
  }
  const plan = new Plan();
  for (const expression of tests) {
    plan.add({ id: `${plan.rules.length}`, logSource: {}, position, expression });
  }
  return {
    image: encodeImage(plan).bytes,
    fields: plan.fields.map(({ name }) => name),
    tests: [...tests],
  };
}

/**
 * Says which parts of a rule an event fulfils.
 *
 * @param rule Rule with its filters.
 * @param options What the engine found.
 * @returns Each selection, condition and filter with its verdict.
 */
export function explain(rule: Rule, options: ExplainOptions): Explanation {
  const detection = explainDetection(rule.detection, options);
  const filters = rule.filters.map((filter): ExplainedFilter => {
    const judged = explainDetection(filter.detection, options);
    return { title: filter.title, ...judged, leavesOut: judged.holds !== filter.keeps };
  });
  return {
    holds: detection.holds && filters.every(({ leavesOut }) => !leavesOut),
    detection,
    filters,
  };
}

function explainDetection(detection: Detection, options: ExplainOptions): ExplainedDetection {
  const conditions = detection.conditions.map(({ text, expression }) => ({
    text,
    holds: judge(expression, options).holds,
  }));
  const selections = [...detection.selections].map(([name, expression]) => {
    const of = judge(expression, options);
    return { name, holds: of.holds, of };
  });
  return { holds: conditions.some(({ holds }) => holds), selections, conditions };
}

function judge(expression: Expression, options: ExplainOptions): Explained {
  switch (expression.kind) {
    case "test": {
      const { field, criterion } = expression;
      const value = options.valueOf(field);
      return {
        kind: "test",
        field,
        wants: describeCriterion(criterion),
        ...(value === undefined ? {} : { value }),
        holds: options.held.has(expression),
      };
    }
    case "not": {
      const of = judge(expression.of, options);
      return { kind: "not", of: [of], holds: !of.holds };
    }
    case "and":
    case "or":
    case "at_least": {
      const of = expression.of.map((inner) => judge(inner, options));
      const held = of.filter(({ holds }) => holds).length;
      if (expression.kind === "at_least") {
        const { count } = expression;
        return { kind: "at_least", count, of, holds: held >= count };
      }
      const wanted = expression.kind === "and" ? of.length : 1;
      return { kind: expression.kind, of, holds: held >= wanted };
    }
  }
}
