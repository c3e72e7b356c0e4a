import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { compile } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";
import { findLiterals } from "./literals.ts";

const engine = await Engine.create();

interface Test {
  readonly op: "contains" | "startswith" | "endswith" | "equals";
  readonly literal: string;
}

function holds({ op, literal }: Test, value: string): boolean {
  const text = value.toLowerCase().replaceAll("\0", " ");
  if (op === "contains") return text.includes(literal);
  if (op === "startswith") return text.startsWith(literal);
  return op === "endswith" ? text.endsWith(literal) : text === literal;
}

/** One rule a test, so that the rules that fire tell the atoms that hold. */
function ruleOf({ op, literal }: Test): { category: string; detection: string[] } {
  const field = op === "equals" ? "CommandLine" : `CommandLine|${op}`;
  return {
    category: "process_creation",
    detection: [`s: { ${field}: "${literal}" }`, "condition: s"],
  };
}

const literal = fc.array(fc.constantFrom("a", "b", "c", " "), { minLength: 1, maxLength: 5 })
  .map((letters) => letters.join(""));
const tests = fc.uniqueArray(
  fc.record<Test>({ op: fc.constantFrom("contains", "startswith", "endswith", "equals"), literal }),
  { minLength: 1, maxLength: 12, selector: ({ op, literal: text }) => `${op} ${text}` },
);
const value = fc.array(fc.constantFrom("a", "b", "c", "A", "B", "\0", " ", "d"), { maxLength: 40 })
  .map((letters) => letters.join(""));

Deno.test("findLiterals() finds the atoms that a search of each literal finds", () => {
  fc.assert(
    fc.property(tests, fc.array(value, { minLength: 5, maxLength: 5 }), (wanted, values) => {
      engine.publish(compile(...wanted.map(ruleOf)).image);
      for (const text of values) {
        const expected = wanted.flatMap((test, i) => holds(test, text) ? [i] : []);
        const found = [...findLiterals(engine, text) ?? []].sort((a, b) => a - b);
        assertEquals(found, expected, JSON.stringify({ wanted, text }));
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("findLiterals() has no answer without an automaton", async () => {
  const fresh = await Engine.create();
  assertEquals(findLiterals(fresh, "a"), undefined);
  fresh.publish(compile(ruleOf({ op: "contains", literal: "a" })).image);
  assertEquals(findLiterals(fresh, "a"), [0]);
  assertEquals(findLiterals(fresh, "a", { field: 1 }), undefined);
});
