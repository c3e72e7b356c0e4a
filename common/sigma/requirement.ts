import type { Expression, FieldTest } from "./expression.ts";

/** Tests of which at least one must hold for an expression to be true. */
export interface Requirement {
  readonly tests: readonly FieldTest[];
  /** Sum of the tests' costs. */
  readonly cost: number;
}

/**
 * Finds the cheapest set of field tests of which one holds whenever the expression is true.
 *
 * @param expression Any expression.
 * @param cost What it costs to look out for a test; infinite: it cannot be looked out for.
 * @returns The set, or `undefined` when the expression can be true with none of them.
 */
export function requirementOf(
  expression: Expression,
  cost: (test: FieldTest) => number,
): Requirement | undefined {
  return find(expression, { cost, wanted: true });
}

interface Search {
  readonly cost: (test: FieldTest) => number;
  /** False when the expression is to be false. */
  readonly wanted: boolean;
}

function find(expression: Expression, search: Search): Requirement | undefined {
  switch (expression.kind) {
    case "test": {
      // A test for absence is the negation of "present".
      if (search.wanted !== (expression.criterion.type !== "absent")) return undefined;
      const cost = search.cost(expression);
      return Number.isFinite(cost) ? { tests: [expression], cost } : undefined;
    }
    case "not":
      return find(expression.of, { ...search, wanted: !search.wanted });
    case "and":
      return pick(expression.of, search.wanted ? expression.of.length : 1, search);
    case "or":
      return pick(expression.of, search.wanted ? 1 : expression.of.length, search);
    case "at_least": {
      const { of, count } = expression;
      return pick(of, search.wanted ? count : of.length - count + 1, search);
    }
  }
}

/**
 * When `count` of n parts hold, every choice of n - count + 1 parts has one that holds. The
 * cheapest such choice is the requirement.
 */
function pick(
  of: readonly Expression[],
  count: number,
  search: Search,
): Requirement | undefined {
  const found = of.map((inner) => find(inner, search))
    .filter((requirement) => requirement !== undefined)
    .sort((a, b) => a.cost - b.cost);
  const needed = of.length - count + 1;
  if (found.length < needed) return undefined;
  const chosen = found.slice(0, needed);
  return {
    tests: chosen.flatMap(({ tests }) => tests),
    cost: chosen.reduce((sum, { cost }) => sum + cost, 0),
  };
}
