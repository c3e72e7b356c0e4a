import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseDocuments, type RuleDocument } from "./document.ts";
import { DOCUMENT_DEPTH_MAX, RULE_SOURCE_BYTES_MAX } from "./limits.ts";
import { RuleProblem } from "./problem.ts";

function whole(text: string): RuleDocument {
  const [document] = parseDocuments(text);
  assert(document !== undefined && !(document instanceof RuleProblem), String(document));
  return document;
}

function problem(text: string): RuleProblem {
  const found = parseDocuments(text).find((document) => document instanceof RuleProblem);
  assert(found instanceof RuleProblem);
  return found;
}

Deno.test("parseDocuments() splits a file and leaves empty documents out", () => {
  const documents = parseDocuments("---\na: 1\n---\n---\nb: [x, null, true]\n");
  assertEquals(documents.map((d) => d instanceof RuleProblem ? d : d.value), [
    { a: 1n },
    { b: ["x", null, true] },
  ]);
  assertEquals(parseDocuments(""), []);
  assertEquals(parseDocuments("# only a comment\n"), []);
});

Deno.test("position() gives lines and columns, keys, entries, aliases and missing steps", () => {
  const { position, start } = whole("# c\na:\n  b: &x\n    - p: 1\n    - q|re: 2\nc: *x\n");
  assertEquals(start, { line: 2, column: 1 });
  assertEquals(position(["a", "b"]), { line: 3, column: 3 });
  assertEquals(position(["a", "b", 1]), { line: 5, column: 7 });
  assertEquals(position(["a", "b", 1, "q|re"]), { line: 5, column: 7 });
  assertEquals(position(["c", 0, "p"]), { line: 4, column: 7 });
  assertEquals(position(["a", "zz", "y"]), { line: 2, column: 1 });
});

Deno.test("parseDocuments() keeps the documents beside a broken one", () => {
  const [first, second, third] = parseDocuments("a: 1\n---\nb: [1\n---\nc: 3\n");
  assert(first !== undefined && !(first instanceof RuleProblem));
  assert(second instanceof RuleProblem);
  assertEquals(second.code, "RULE_INVALID");
  assert(second.position.line >= 3);
  assert(third !== undefined && !(third instanceof RuleProblem));
});

Deno.test("parseDocuments() refuses a key that stands twice", () => {
  const error = problem("a: 1\na: 2\n");
  assert(error.message.includes("unique"), error.message);
  assertEquals(error.position.line, 2);
});

Deno.test("parseDocuments() refuses what would exhaust memory or stack", () => {
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`);
  assert(problem(bomb.join("\n")).message.includes("alias"), "alias bomb");
  assert(problem("[".repeat(100_000)).message.length > 0, "open brackets");
  const deep = "a: " + "[".repeat(DOCUMENT_DEPTH_MAX + 1) + "]".repeat(DOCUMENT_DEPTH_MAX + 1);
  assert(problem(deep).message.includes("deeper"), "deep");
  const long = `a: "${"é".repeat(RULE_SOURCE_BYTES_MAX / 2)}"`;
  assert(problem(long).message.includes("longer"), "long");
});

Deno.test("parseDocuments() gives a document or a RuleProblem, any text", () => {
  const pieces = fc.constantFrom(
    "a:",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "&x",
    "*x",
    "---\n",
    "'",
    '"',
    "|",
    ">",
    "\t",
    "? ",
    "!!set",
    "<<",
    "1",
    "#",
  );
  fc.assert(fc.property(fc.array(pieces, { maxLength: 20 }), (list) => {
    for (const document of parseDocuments(list.join(""))) {
      assert(document instanceof RuleProblem || document.start.line >= 1);
    }
  }));
});
