// What a hostile rule file can hold: each is named, and none is slow or large for it.
import { assert, assertEquals } from "@std/assert";
import { RULE_SOURCE_BYTES_MAX, TESTS_PER_SET_MAX, WHOLE_YAML_BYTES_MAX } from "./limits.ts";
import { parseRules } from "./parse_rules.ts";
import { describeRejection, type RuleRejection } from "./rejection.ts";
import { compileRules } from "./rule_set.ts";

const HEAD = "title: T\nid: t\nlogsource: {}\ndetection:\n";

function rejections(text: string): readonly RuleRejection[] {
  const { rules, correlations, rejected } = compileRules([{ path: "bad.yml", text }]);
  assertEquals([rules.length, correlations.length], [0, 0], text.slice(0, 80));
  return rejected;
}

/** A file of this text again and again, as long as the whole parser takes it. */
function filled(text: string, start = ""): string {
  return (start + text.repeat(WHOLE_YAML_BYTES_MAX / text.length)).slice(0, WHOLE_YAML_BYTES_MAX);
}

Deno.test("compileRules() names what would exhaust a YAML parser, at the length that it takes", () => {
  const aliases = Array.from(
    { length: 9 },
    (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`,
  );
  const texts = [
    filled("["),
    filled("{a: "),
    filled("- "),
    filled("? "),
    filled("!a "),
    filled("&a "),
    filled(": "),
    filled("]\n"),
    filled("x ", "a: '"),
    filled("b: *a\n", "a: &a [x]\n"),
    filled("{<<: *a}, ", "a: &a {x: y}\nb: ["),
    ["a0: &a0 [x]", ...aliases].join("\n"),
    Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
    Array.from({ length: 9000 }, (_, i) => `"k${i}": x`).join("\n"),
  ];
  for (const text of texts) {
    const rejected = rejections(text);
    assert(rejected.length > 0, text.slice(0, 80));
    for (const rejection of rejected) {
      assertEquals(rejection.code, "RULE_INVALID");
      const line = describeRejection(rejection);
      assert(!line.includes("\n") && line.length < 1000, line);
      assert(!line.includes("call stack"), line);
    }
  }
});

Deno.test("compileRules() refuses a file that is longer than any parser is given", () => {
  const scalar = `a: "${"x".repeat(10 * 1024 * 1024)}"`;
  assertEquals(rejections(scalar)[0]?.reason.includes(`${RULE_SOURCE_BYTES_MAX} bytes`), true);
  const beyond = `a: &b x\n${"# ".repeat(WHOLE_YAML_BYTES_MAX)}`;
  assertEquals(rejections(beyond)[0]?.reason.includes(`${WHOLE_YAML_BYTES_MAX} bytes`), true);
});

Deno.test("compileRules() reads a long file of plain YAML and names what is wrong in it", () => {
  const long = Array.from({ length: 40_000 }, (_, i) => `    - value ${i}`).join("\n");
  const [found] = rejections(`${HEAD}  s:\n    A:\n${long}\n  condition: s\n`);
  assertEquals(found?.reason.includes("field tests; split it"), true, found?.reason);
  assert((found?.line ?? 0) > 16_000, `${found?.line}`);
});

Deno.test("compileRules() bounds what short values grow to, in a rule and in a set", () => {
  const dashes = " -a".repeat(5);
  const rule = (i: number) =>
    `title: T\nid: t${i}\nlogsource: {}\ndetection:\n  s: { A|windash: [${
      Array.from({ length: 5 }, (_, n) => `'${i} ${n}${dashes}'`)
    }] }\n  condition: s\n`;
  const lists = `${HEAD}  s: { A|windash: [${`'${dashes}',`.repeat(2000)}] }\n  condition: s\n`;
  assert(rejections(lists)[0]?.reason.includes("field tests"), rejections(lists)[0]?.reason);
  const text = Array.from({ length: 40 }, (_, i) => rule(i)).join("---\n");
  const { rules, rejected } = parseRules([{ path: "many.yml", text }]);
  assert(rules.length * 5 * 5 ** 5 <= TESTS_PER_SET_MAX, `${rules.length} rules`);
  assertEquals(rules.length + rejected.length, 40);
  assertEquals(new Set(rejected.map(({ code }) => code)), new Set(["RULE_SET_TOO_LARGE"]));
});

Deno.test("compileRules() bounds a filter of many tests on many rules", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => `v${i}`);
  const filter = "title: F\nid: f\nlogsource: {}\n" +
    `filter: { rules: any, s: { A: [${values}] }, condition: s }\n`;
  const rule = (i: number) =>
    `title: T\nid: t${i}\nlogsource: {}\ndetection: { s: { A: x${i} }, condition: s }\n`;
  const rules = Array.from({ length: 100 }, (_, i) => rule(i));
  const set = compileRules([{ path: "f.yml", text: [filter, ...rules].join("---\n") }]);
  assertEquals(set.rules.length + set.rejected.length, 100);
  assert(set.rules.length > 20 && set.rules.length < 60, `${set.rules.length}`);
  assert(set.rejected.every(({ code }) => code === "RULE_SET_TOO_LARGE"));
});

Deno.test("compileRules() reads names of selections and conditions in linear time", () => {
  const stars = "*a".repeat(190);
  const name = "a".repeat(200);
  const [found] = rejections(`${HEAD}  ${name}: { A: x }\n  condition: 1 of ${stars}b\n`);
  assert(found?.reason.includes("no selection is so"), found?.reason);
  const deep = `${"(".repeat(1000)}s${")".repeat(1000)}`;
  const [nested] = rejections(`${HEAD}  s: { A: x }\n  condition: ${deep}\n`);
  assert(nested?.reason.includes("nested deeper"), nested?.reason);
});
