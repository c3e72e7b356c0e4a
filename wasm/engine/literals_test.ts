import { assert, assertEquals } from "@std/assert";
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

/** Text that often has a literal, or nearly: pieces that the literals are made of too. */
const PIECES = ["/usr/bin/", "python", "abcabc", "aaaaaaa", "-c", " ", "x", "é"] as const;
const pieces = (maxLength: number, minLength = 0): fc.Arbitrary<string> =>
  fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.constantFrom("a", "b", "/", "\u00e9")), {
    minLength,
    maxLength,
  }).map((parts) => parts.join(""));
const longTests = fc.uniqueArray(
  fc.record<Test>({
    op: fc.constantFrom("contains", "startswith", "endswith", "equals"),
    literal: pieces(5, 1).filter((text) => text.trim() !== "" && text.trim() === text),
  }),
  { minLength: 1, maxLength: 60, selector: ({ op, literal: text }) => `${op} ${text}` },
);

Deno.test("findLiterals() agrees on long literals that share their pieces", () => {
  let held = 0;
  fc.assert(
    fc.property(
      longTests,
      fc.array(pieces(20), { minLength: 10, maxLength: 10 }),
      (wanted, rest) => {
        engine.publish(compile(...wanted.map(ruleOf)).image);
        const values = [...rest, ...wanted.slice(0, 5).map(({ literal: text }) => `b${text}A`)];
        for (const text of values) {
          const expected = wanted.flatMap((test, i) => holds(test, text) ? [i] : []);
          held += expected.length;
          const found = [...findLiterals(engine, text) ?? []].sort((a, b) => a - b);
          assertEquals(found, expected, JSON.stringify({ wanted, text }));
        }
      },
    ),
    { numRuns: 400 },
  );
  assert(held > 500, `${held} held`);
});

Deno.test("findLiterals() finds literals that all share their grams, by the automaton", () => {
  const family = (op: Test["op"], text: (i: string) => string): Test[] =>
    Array.from({ length: 150 }, (_, i): Test => ({ op, literal: text(i.toString(36)) }));
  const wanted = [
    ...family("contains", (i) => `aaaaaaaaa${i}`),
    ...family("contains", (i) => `${"b".repeat(5 + parseInt(i, 36) % 3)}${i}`),
    ...family("startswith", (i) => `${"c".repeat(50)}${i}`),
    ...family("endswith", (i) => `${i}${"d".repeat(50)}`),
  ].filter(({ op, literal: text }, i, all) =>
    all.findIndex((other) => other.op === op && other.literal === text) === i
  );
  engine.publish(compile(...wanted.map(ruleOf)).image);
  const values = [
    ...wanted.map(({ literal: text }) => text),
    "a".repeat(400),
    "b".repeat(400),
    `${"c".repeat(60)}1${"d".repeat(60)}`,
  ];
  for (const text of values) {
    const expected = wanted.flatMap((test, i) => holds(test, text) ? [i] : []);
    const found = [...findLiterals(engine, text) ?? []].sort((a, b) => a - b);
    assertEquals(found, expected, text);
  }
});

Deno.test("findLiterals() compares cased literals as they are written", () => {
  const cased = (test: string): { category: string; detection: string[] } => ({
    category: "process_creation",
    detection: [`s: { ${test} }`, "condition: s"],
  });
  engine.publish(
    compile(
      cased("CommandLine|contains|cased: AbcdefgHij"),
      cased("CommandLine|contains: AbcdefgHij"),
      cased("CommandLine|endswith|cased: Hij"),
      cased("CommandLine|contains|cased: A"),
      cased("CommandLine|contains|cased: aB"),
    ).image,
  );
  const found = (text: string): number[] =>
    [...findLiterals(engine, text) ?? []].sort((a, b) => a - b);
  assertEquals(found("x AbcdefgHij"), [0, 1, 2, 3]);
  // Where it stands first it is written otherwise.
  assertEquals(found("a x A"), [3]);
  assertEquals(found("AB ab aB"), [3, 4]);
  assertEquals(found("ab a b"), []);
  assertEquals(found("x abcdefghij"), [1]);
  assertEquals(found("ABCDEFGHIJ"), [1, 3]);
});

Deno.test("findLiterals() has no answer without an automaton", async () => {
  const fresh = await Engine.create();
  assertEquals(findLiterals(fresh, "a"), undefined);
  fresh.publish(compile(ruleOf({ op: "contains", literal: "a" })).image);
  assertEquals(findLiterals(fresh, "a"), [0]);
  assertEquals(findLiterals(fresh, "a", { field: 1 }), undefined);
});
