import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { evaluate } from "./_evaluate_test_support.ts";
import { EXPRESSION, FIELDS, VALUE } from "./_expression_test_support.ts";
import { ImageReader } from "./_image_test_support.ts";
import type { Expression } from "./expression.ts";
import { encodeImage } from "./image.ts";
import { FIELDS_MAX, PROGRAM_DEPTH_MAX } from "./image_layout.ts";
import { Plan } from "./plan.ts";
import { RuleProblem } from "./problem.ts";
import type { RuleLogic } from "./rule.ts";
import { ANY } from "./value.ts";

function rule(expression: Expression, id = "r"): RuleLogic {
  const logSource = { category: "process_creation" };
  return { id, logSource, position: { line: 1, column: 1 }, expression };
}

const EVENT = fc.dictionary(fc.constantFrom(...FIELDS), VALUE).map((values) =>
  new Map(Object.entries(values))
);

Deno.test("an image fires what the expressions ask, any rules and event", () => {
  fc.assert(
    fc.property(
      fc.array(EXPRESSION, { minLength: 1, maxLength: 6 }),
      fc.array(EVENT, { minLength: 1, maxLength: 4 }),
      (expressions, events) => {
        const plan = new Plan();
        expressions.forEach((expression, i) => plan.add(rule(expression, `r${i}`)));
        const reader = new ImageReader(
          encodeImage(plan).bytes,
          plan.fields.map(({ name }) => name),
        );
        for (const event of events) {
          const wanted = expressions.flatMap((e, i) => evaluate(e, event) ? [i] : []);
          assertEquals(reader.fire(event), wanted);
        }
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("Plan looks at a rule only where a test that it needs is found", () => {
  const plan = new Plan();
  const test = (field: string, text: string): Expression => ({
    kind: "test",
    field,
    criterion: { type: "pattern", pattern: [text], cased: false },
  });
  plan.add(
    rule({ kind: "and", of: [test("Image", "/bin/sh"), test("CommandLine", "a long text")] }),
  );
  plan.add(rule({ kind: "not", of: test("Image", "/bin/sh") }, "s"));
  const candidates = plan.atoms.map((atom) => [plan.fields[atom.field]?.name, atom.candidates]);
  assertEquals(candidates, [["Image", []], ["CommandLine", [0]]]);
  assertEquals(plan.always, [1]);
});

Deno.test("Plan waits for several rare texts rather than for a short one", () => {
  const plan = new Plan();
  const test = (field: string, text: string): Expression => ({
    kind: "test",
    field,
    criterion: { type: "pattern", pattern: [ANY, text, ANY], cased: false },
  });
  const texts = Array.from({ length: 12 }, (_, i) => test("CommandLine", `--an-option-${i}`));
  plan.add(rule({ kind: "and", of: [test("Image", "/sh"), { kind: "or", of: texts }] }));
  const waits = plan.atoms.map((atom) => atom.candidates.length > 0);
  assertEquals(waits, [false, ...texts.map(() => true)]);
});

Deno.test("Plan refuses a rule whose program is too deep and stays as it was", () => {
  const plan = new Plan();
  let deep: Expression = {
    kind: "test",
    field: "Image",
    criterion: { type: "pattern", pattern: ["a"], cased: false },
  };
  for (let i = 0; i < PROGRAM_DEPTH_MAX; i++) {
    const not: Expression = { kind: "not", of: deep };
    deep = {
      kind: i % 2 === 0 ? "and" : "or",
      of: [{ kind: "test", field: "Image", criterion: { type: "absent" } }, not],
    };
  }
  assertThrows(() => plan.add(rule(deep)), RuleProblem, "intermediate results");
  assertEquals([plan.rules.length, plan.atoms.length, plan.fields.length], [0, 0, 0]);
});

Deno.test("Plan refuses a rule with fields over the bound and takes the next one", () => {
  const plan = new Plan();
  const wide = (count: number): Expression => ({
    kind: "or",
    of: Array.from({ length: count }, (_, i): Expression => ({
      kind: "test",
      field: `Field${i}`,
      criterion: { type: "pattern", pattern: ["x"], cased: false },
    })),
  });
  const error = assertThrows(() => plan.add(rule(wide(FIELDS_MAX + 1))), RuleProblem);
  assertEquals(error.code, "RULE_SET_TOO_LARGE");
  assertEquals(plan.fields.length, 0);
  plan.add(rule(wide(FIELDS_MAX)));
  assertEquals(plan.rules.length, 1);
  assert(encodeImage(plan).bytes.length > 0);
});
