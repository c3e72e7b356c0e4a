import fc from "fast-check";
import type { Criterion } from "./criterion.ts";
import type { Expression, FieldTest } from "./expression.ts";
import { ANY, ONE, pattern } from "./value.ts";

/** Few names and letters, so that tests meet values. */
export const FIELDS = ["Image", "CommandLine", "DestinationPort", "Extra"] as const;

const CRITERION: fc.Arbitrary<Criterion> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Criterion>({ type: "absent" }) },
  {
    weight: 9,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom("a", "b", "AB", "ba", " ", "é") },
        { weight: 2, arbitrary: fc.constantFrom(ANY, ONE) },
      ),
      { maxLength: 4 },
    ).map((parts): Criterion => ({
      type: "pattern",
      pattern: pattern(parts),
      cased: false,
    })),
  },
);

const TEST: fc.Arbitrary<FieldTest> = fc.record({
  kind: fc.constant("test" as const),
  field: fc.constantFrom(...FIELDS),
  criterion: CRITERION,
});

/** Any expression of up to four levels. */
export const EXPRESSION: fc.Arbitrary<Expression> = fc.letrec<{ of: Expression }>((tie) => {
  const list = fc.array(tie("of"), { minLength: 1, maxLength: 4 });
  return {
    of: fc.oneof(
      { maxDepth: 4, depthIdentifier: "expression" },
      TEST,
      tie("of").map((of): Expression => ({ kind: "not", of })),
      fc.tuple(fc.constantFrom("and" as const, "or" as const), list).map(
        ([kind, of]): Expression => ({ kind, of }),
      ),
      fc.tuple(list, fc.nat()).map(([of, n]): Expression => ({
        kind: "at_least",
        count: 1 + n % of.length,
        of,
      })),
    ),
  };
}).of;

/** Any value of a field, often near to the patterns. */
export const VALUE: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom("a", "b", "A", "B", " ", "\0", "é", "c"),
  maxLength: 6,
});
