import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import { CONDITION_DEPTH_MAX, CONDITION_LENGTH_MAX } from "./limits.ts";

/** The condition with every group in brackets. */
function show(condition: Condition): string {
  switch (condition.kind) {
    case "name":
      return condition.name;
    case "of":
      return `${condition.count} of ${condition.names}`;
    case "not":
      return `(not ${show(condition.of)})`;
    default:
      return `(${condition.of.map(show).join(` ${condition.kind} `)})`;
  }
}

Deno.test("parseCondition() binds not before and, and before or", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a", "a"],
    ["a or b and not c", "(a or (b and (not c)))"],
    ["(a or b) and c", "((a or b) and c)"],
    ["not not a", "(not (not a))"],
    ["not a and b", "((not a) and b)"],
    ["1 of sel* and not all of filter_*", "(1 of sel* and (not all of filter_*))"],
    ["1 OF them Or ALL of them", "(1 of them or all of them)"],
    ["any of x-*", "1 of x-*"],
    ["2 of them", "2 of them"],
    ["  a\n  and b  ", "(a and b)"],
    ["notable and order and offer", "(notable and order and offer)"],
  ];
  for (const [text, wanted] of cases) assertEquals(show(parseCondition(text)), wanted, text);
});

Deno.test("parseCondition() names the place and the reason, broken conditions", () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ["", 0, "ends where"],
    ["a and", 5, "ends where"],
    ["a b", 2, `"b" where the end`],
    ["(a", 2, `")"`],
    ["a)", 1, `")" where the end`],
    ["a & b", 2, `unexpected "&"`],
    ["sel*", 0, `without "1 of"`],
    ["most of them", 0, `"most of"`],
    ["0 of them", 0, `"0 of"`],
    ["1 of not", 5, `"not" where`],
    ["and", 0, `"and" where`],
  ];
  for (const [text, at, reason] of cases) {
    const error = assertThrows(() => parseCondition(text), ConditionError, reason);
    assertEquals(error.at, at, text);
    assertEquals(error.feature, undefined, text);
  }
});

Deno.test("parseCondition() names aggregation as a feature that is missing", () => {
  const error = assertThrows(() => parseCondition("sel | count() by x > 5"), ConditionError);
  assertEquals(error.feature, "aggregation in a condition");
});

Deno.test("parseCondition() refuses what is too deep or too long", () => {
  const nested = (depth: number) => "(".repeat(depth) + "a" + ")".repeat(depth);
  assertEquals(show(parseCondition(nested(CONDITION_DEPTH_MAX - 1))), "a");
  assertThrows(() => parseCondition(nested(CONDITION_DEPTH_MAX)), ConditionError, "deeper");
  assertThrows(() => parseCondition("not ".repeat(1000) + "a"), ConditionError, "deeper");
  const long = "a".repeat(CONDITION_LENGTH_MAX + 1);
  assertThrows(() => parseCondition(long), ConditionError, "longer");
});

const TREE = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthIdentifier: "tree" },
    fc.constantFrom("a", "b_1", "filter-x", "c.d").map((name): Condition => ({
      kind: "name",
      name,
      at: 0,
    })),
    fc.constantFrom<number | "all">("all", 1, 3).map((count): Condition => ({
      kind: "of",
      count,
      names: "x*",
      at: 0,
    })),
    tie("tree").map((of): Condition => ({ kind: "not", of })),
    fc.tuple(
      fc.constantFrom("and" as const, "or" as const),
      fc.array(tie("tree"), { minLength: 2, maxLength: 3 }),
    ).map(([kind, of]): Condition => ({ kind, of })),
  ),
})).tree;

Deno.test("parseCondition() reads back every tree that is written with brackets", () => {
  fc.assert(fc.property(TREE, (tree) => {
    assertEquals(show(parseCondition(show(tree))), show(tree));
  }));
});

Deno.test("parseCondition() parses or throws ConditionError, any text", () => {
  const words = fc.constantFrom("a", "not", "and", "or", "(", ")", "1", "of", "them", "x*", "|");
  fc.assert(fc.property(fc.array(words, { maxLength: 12 }), (list) => {
    try {
      parseCondition(list.join(" "));
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
    }
  }));
});
