import type { Criterion } from "./criterion.ts";

/** A test of one field. */
export interface FieldTest {
  readonly kind: "test";
  /** Name of the field; `KEYWORDS_FIELD`: all values of the event. */
  readonly field: string;
  readonly criterion: Criterion;
}

/** What a rule asks of an event. `at_least`: of these, so many must hold. */
export type Expression =
  | FieldTest
  | { readonly kind: "and"; readonly of: readonly Expression[] }
  | { readonly kind: "or"; readonly of: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "at_least"; readonly count: number; readonly of: readonly Expression[] };

/**
 * Joins expressions by `and`; nested ones are flattened, a single one stays itself.
 *
 * @param of At least one expression.
 * @returns The joined expression.
 */
export function and(of: readonly Expression[]): Expression {
  return join("and", of);
}

/**
 * Joins expressions by `or`; nested ones are flattened, a single one stays itself.
 *
 * @param of At least one expression.
 * @returns The joined expression.
 */
export function or(of: readonly Expression[]): Expression {
  return join("or", of);
}

/**
 * All field tests of an expression, each as often as it stands there.
 *
 * @param expression Any expression.
 * @returns Its leaves, left to right.
 */
export function* testsOf(expression: Expression): Generator<FieldTest> {
  if (expression.kind === "test") yield expression;
  else if (expression.kind === "not") yield* testsOf(expression.of);
  else for (const inner of expression.of) yield* testsOf(inner);
}

function join(kind: "and" | "or", of: readonly Expression[]): Expression {
  const [first] = of;
  if (first !== undefined && of.length === 1) return first;
  const flat = of.flatMap((inner) => inner.kind === kind ? inner.of : [inner]);
  const [only] = flat;
  return only !== undefined && flat.length === 1 ? only : { kind, of: flat };
}
