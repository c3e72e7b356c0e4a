import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Step } from "./document.ts";
import { parseDocuments } from "./document.ts";
import { readPlainYaml } from "./plain_yaml.ts";
import { RuleProblem } from "./problem.ts";
import { parseWholeYaml } from "./whole_yaml.ts";

const RULE = `# head
title: A rule's name
id: 6d6f9e0b-8a1d-4b6e-9f57-0c2f6d8e7a11   # comment
date: 2026-01-02
description: |
    One line: with colon
      deeper # no comment

    last
tags:
    - attack.t1059
    - 'it''s'
logsource: { category: process_creation, product: linux }
detection:
  selection_a:
    Image|endswith: [/sh, '/ba sh', "d\\"q"]
    '|all':
    - -flag
    - 4688
  selection_b:
    - A|contains: a:b
      B: ~
    - {C|re: x, D: true}
  condition: 1 of selection_* and not x # why
empty:
---
title: http://second#one
level: -12
`;

/** Steps to every key and entry of a value. */
function* paths(value: unknown, path: readonly Step[] = []): Generator<readonly Step[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield* paths(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** Whatever is read must be what the whole parser reads, values and places. */
function agrees(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  const whole = parseWholeYaml(text);
  const documents = parseDocuments(text);
  assertEquals(documents.length, whole.length, JSON.stringify(text));
  whole.forEach((document, i) => {
    assert(!(document instanceof RuleProblem), `${document} ${JSON.stringify(text)}`);
    const read = documents[i];
    assert(read !== undefined && !(read instanceof RuleProblem));
    assertEquals(read.value, document.value, JSON.stringify(text));
    assertEquals(read.start, document.start, JSON.stringify(text));
    for (const path of paths(document.value)) {
      assertEquals(read.position(path), document.position(path), `${path} ${JSON.stringify(text)}`);
    }
  });
  return true;
}

Deno.test("readPlainYaml() reads a rule as the whole parser does, values and places", () => {
  assertEquals(agrees(RULE), true);
});

Deno.test("readPlainYaml() reads what stands on one line", () => {
  const texts = [
    "a: x",
    "a: 'x' # c",
    'a: "x\\n\\t"',
    "a: []",
    "a: {}",
    "a: [x, [y, { z: 1 }], ]",
    "a: { b: x, 'c d': [], e: ~ }  # c",
    "a: -x",
    "a: x#y",
    "a: 0x10y",
    "a: null",
    "a: True",
    "a: +5",
    "a: 00012",
    "a b.c/d-e|f: g",
    "a:\n- x\n-\n- y: z\n  w: v\nb: c",
    "a:\n  -   x\n  - |\n    t\n   \nb: c",
    "a: |-\n  x\n\n\nb: y",
    "---\na: x\n---\n# c\n---\nb: y\n---\n",
    "",
    "# c\n",
  ];
  for (const text of texts) assert(agrees(text), text);
});

Deno.test("readPlainYaml() leaves to the whole parser what is beyond it, or wrong", () => {
  const texts = [
    "- x",
    "x",
    "a: &b x",
    "a: *b",
    "a: !!str x",
    "a: >\n  x",
    "a: |2\n  x",
    "a: |+\n  x",
    "a: x\n  y",
    "a: 'x\n  y'",
    "a: [x,\n  y]",
    "a: [x",
    "a: [x] y",
    "a: 'x' y",
    "a: x: y",
    "a: @x",
    "a: 0x10",
    "a: 1.5",
    "a: .inf",
    'a: "\\x41"',
    "a: x\na: y",
    "a: {b: x, b: y}",
    "a: {b}",
    "a: [b: c]",
    "a:\n  b: x\n c: y",
    "a:\n  - x\n - y",
    "a: x\n- y",
    "a:\tx",
    "a: x\r\n",
    "\uFEFFa: x",
    "%YAML 1.2\n---\na: x",
    "a: x\n...\n",
    "--- a: x",
    "<<: x",
    "? a",
    "1: x",
    "null: x",
    "__proto__: x",
    "a: |\n  x",
    "a:\n  - - x",
    `a: ${"[".repeat(20)}${"]".repeat(20)}`,
    Array.from({ length: 20 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  ];
  for (const text of texts) assertEquals(readPlainYaml(text), undefined, text);
});

const PIECES = fc.oneof(
  fc.constantFrom("[", "]", "{", "}", ":", ": ", "\n", "  ", " ", "- ", "-", "|", "#", " #", "'"),
  fc.constantFrom('"', "\\", "''", ",", ", ", "&a ", "*a", "!", "?", "? ", "%", "@", "`", ">", "~"),
  fc.constantFrom(
    "null",
    "true",
    "12",
    "0x1f",
    "1.5",
    "1e3",
    "---\n",
    "...\n",
    "<<: ",
    "a: ",
    "\t",
  ),
  fc.constantFrom("\n\n", "\n  ", "\n    - ", "a|b: ", "\u00A0", "é", "\u2028", "\n---\n", "b:\n"),
  fc.string({ unit: "binary", maxLength: 2 }),
);

Deno.test("readPlainYaml() agrees with the whole parser wherever it reads, any damaged rule", () => {
  const text = fc.array(
    fc.record({ at: fc.nat(RULE.length), cut: fc.nat(12), piece: PIECES }),
    { minLength: 1, maxLength: 3 },
  ).map((edits) =>
    edits.reduce(
      (whole, { at, cut, piece }) => whole.slice(0, at) + piece + whole.slice(at + cut),
      RULE,
    )
  );
  let read = 0;
  fc.assert(
    fc.property(text, (damaged) => {
      if (agrees(damaged)) read++;
    }),
    { numRuns: 2500 },
  );
  assert(read > 200, `${read} were read`);
});

Deno.test("readPlainYaml() agrees with the whole parser wherever it reads, any small text", () => {
  let read = 0;
  fc.assert(
    fc.property(fc.array(PIECES, { maxLength: 9 }), (pieces) => {
      if (agrees(`a: ${pieces.join("")}`)) read++;
    }),
    { numRuns: 6000 },
  );
  assert(read > 200, `${read} were read`);
});
