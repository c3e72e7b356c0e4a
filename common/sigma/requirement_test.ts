import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { evaluate } from "./_evaluate_test_support.ts";
import { EXPRESSION, FIELDS } from "./_expression_test_support.ts";
import { and, or } from "./expression.ts";
import type { Expression, FieldTest } from "./expression.ts";
import { requirementOf } from "./requirement.ts";

function test(field: string): FieldTest {
  return { kind: "test", field, criterion: { type: "pattern", pattern: ["x"], cased: false } };
}

function not(of: Expression): Expression {
  return { kind: "not", of };
}

const COST: Readonly<Record<string, number>> = { a: 1, b: 2, c: 4, never: Infinity };

function fieldsOf(expression: Expression): readonly string[] | undefined {
  return requirementOf(expression, ({ field }) => COST[field] ?? 8)?.tests.map(({ field }) =>
    field
  );
}

Deno.test("requirementOf() takes the cheapest part of an and, every part of an or", () => {
  assertEquals(fieldsOf(and([test("c"), or([test("a"), test("b")])])), ["a", "b"]);
  assertEquals(fieldsOf(and([test("b"), or([test("a"), test("b")])])), ["b"]);
  assertEquals(fieldsOf(or([test("a"), and([test("b"), not(test("c"))])])), ["a", "b"]);
});

Deno.test("requirementOf() finds none when nothing needs to be there", () => {
  assertEquals(fieldsOf(not(test("a"))), undefined);
  assertEquals(fieldsOf(or([test("a"), not(test("b"))])), undefined);
  assertEquals(fieldsOf({ kind: "test", field: "a", criterion: { type: "absent" } }), undefined);
  assertEquals(fieldsOf(and([not(test("a")), test("never")])), undefined);
});

Deno.test("requirementOf() sees through negations", () => {
  assertEquals(fieldsOf(not(or([not(test("a")), not(test("b"))]))), ["a"]);
  assertEquals(fieldsOf(not(and([not(test("a")), not(test("b"))]))), ["a", "b"]);
  assertEquals(fieldsOf(not({ kind: "test", field: "c", criterion: { type: "absent" } })), ["c"]);
});

Deno.test("requirementOf() counts, at least two of three", () => {
  const of = [test("c"), test("a"), test("b")];
  assertEquals(fieldsOf({ kind: "at_least", count: 2, of }), ["a", "b"]);
  assertEquals(fieldsOf(not({ kind: "at_least", count: 2, of: of.map(not) })), ["a", "b"]);
});

Deno.test("requirementOf() holds: what is true has one of its tests, any expression", () => {
  const event = fc.dictionary(fc.constantFrom(...FIELDS), fc.constantFrom("", "a", "ab", "Ba"));
  fc.assert(
    fc.property(EXPRESSION, event, (expression, values) => {
      const fields = new Map(Object.entries(values));
      const requirement = requirementOf(expression, () => 1);
      if (requirement === undefined || !evaluate(expression, fields)) return;
      const holds = ({ field, criterion }: FieldTest) =>
        criterion.type === "absent"
          ? fields.has(field)
          : evaluate({ kind: "test", field, criterion }, fields);
      assert(requirement.tests.some(holds));
    }),
    { numRuns: 500 },
  );
});
