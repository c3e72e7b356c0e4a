import { assert, assertEquals } from "@std/assert";
import { ReferenceRule } from "./rule.ts";

/** A test as YAML, the value of field A, and whether it fires. */
type Case = readonly [test: string, value: string | undefined, fires: boolean];

function fires(selections: string, event: Readonly<Record<string, string>>): boolean {
  const rule = new ReferenceRule(`detection:\n  ${selections.replaceAll("\n", "\n  ")}`, {
    placeholders: new Map([["shell", ["sh", "zsh"]]]),
  });
  return rule.fires(new Map(Object.entries(event)));
}

function judge(cases: readonly Case[]): void {
  for (const [test, value, wanted] of cases) {
    const event = value === undefined ? {} : { A: value };
    const found = fires(`s:\n  ${test}\ncondition: s`, event);
    assertEquals(found, wanted, `${test} on ${value}`);
  }
}

Deno.test("ReferenceRule reads wildcards, escapes and cases as Sigma's examples have them", () => {
  judge([
    ["A: abc", "ABC", true],
    ["A: ab", "abc", false],
    ["A: a*c", "abbc", true],
    ["A: a?c", "abbc", false],
    ["A: 'a\\*c'", "a*c", true],
    ["A: 'a\\*c'", "abc", false],
    ["A: 'a\\\\*c'", "a\\bc", true],
    ["A: 'a\\b'", "a\\b", true],
    ["A: '\\\\b'", "\\b", true],
    ["A: É", "é", false],
    ["A|cased: aB", "aB", true],
    ["A|cased: aB", "ab", false],
    ["A|contains|all: [b, c]", "xcxb", true],
    ["A|contains|all: [b, c]", "xc", false],
    ["A: ''", "", true],
    ["A: '*'", undefined, false],
    ["A: null", undefined, true],
    ["A: [null, x]", "x", true],
    ["A|exists: false", "", false],
    ["A|neq: x", undefined, true],
  ]);
});

Deno.test("ReferenceRule knows encodings by values that were encoded elsewhere", () => {
  judge([
    // RFC 4648, section 10.
    ["A|base64: foobar", "Zm9vYmFy", true],
    ["A|base64: foob", "Zm9vYg==", true],
    ["A|base64offset|contains: foobar", "eGZvb2Jhcnk=", true],
    ["A|base64offset|contains: foobar", "eHhmb29iYXJ4eA==", true],
    ["A|base64offset|contains: foXbar", "eHhmb29iYXJ4eA==", false],
    ["A|wide|base64offset|contains: whoami", "dwBoAG8AYQBtAGkA", true],
    ["A|windash|contains: ' -f'", "x \u2014f", true],
    ["A|windash|contains: 'a-f'", "a/f", false],
    ["A|expand|endswith: '/%shell%'", "/bin/zsh", true],
    ["A|expand|endswith: '/%shell%'", "/bin/bash", false],
  ]);
});

Deno.test("ReferenceRule reads numbers, times, networks and regular expressions", () => {
  judge([
    ["A|gt: 5", "5.5", true],
    ["A|gt: 5", "five", false],
    ["A|lte: 5", "5.0", true],
    ["A|week: 53", "2021-01-03T23:59:59Z", true],
    ["A|week: 1", "2021-01-04", true],
    ["A|day: 2", "2026-03-01T23:00:00-02:00", true],
    ["A|year: 2026", "1767225600", true],
    ["A|hour|gte: 1", "2026-02-30T12:00:00Z", false],
    ["A|cidr: 10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["A|cidr: 'fe80::/10'", "FEBF::1", true],
    ["A|cidr: 'fe80::/10'", "fec0::1", false],
    ["A|cidr: 0.0.0.0/0", "::1", false],
    ["A|re: '^b$'", "a\nb", false],
    ["A|re|m: '^b$'", "a\nb", true],
    ["A|re: a.c", "a\nc", false],
    ["A|re|i: É", "é", true],
    ["A|re: '^.{2}$'", "é", true],
  ]);
});

Deno.test("ReferenceRule reads conditions: not before and before or, counts, hidden selections", () => {
  const selections = "a1: { A: x }\na2: { B: x }\n_a3: { C: x }\n";
  const judgeOn = (condition: string, fields: string, wanted: boolean): void => {
    const event = Object.fromEntries(Array.from(fields, (name) => [name, "x"]));
    const found = fires(`${selections}condition: ${condition}`, event);
    assertEquals(found, wanted, `${condition} on ${fields}`);
  };
  judgeOn("a1 or a2 and _a3", "A", true);
  judgeOn("(a1 or a2) and _a3", "A", false);
  judgeOn("not a1 and a2", "B", true);
  judgeOn("not (a1 and a2)", "B", true);
  judgeOn("all of them", "AB", true);
  judgeOn("1 of them", "C", false);
  judgeOn("1 of _a*", "C", true);
  judgeOn("2 of a*", "AB", true);
  judgeOn("2 of a*", "AC", false);
  judgeOn("[a1, _a3]", "C", true);
});

Deno.test("ReferenceRule looks for keywords in all values, and compares fields", () => {
  assert(fires("s: [curl, wget]\ncondition: s", { A: "x", B: "use WGET now" }));
  assert(!fires("s: { '|all': [curl, wget] }\ncondition: s", { A: "x", B: "use wget now" }));
  assert(fires("s: { A|fieldref|startswith: B }\ncondition: s", { A: "Home/x", B: "home" }));
  assert(!fires("s: { A|fieldref|cased|startswith: B }\ncondition: s", { A: "Home/x", B: "home" }));
  assert(!fires("s: { A|fieldref: B }\ncondition: s", { A: "" }));
});
