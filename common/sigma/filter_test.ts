import { assert, assertEquals } from "@std/assert";
import { ImageReader } from "./_image_test_support.ts";
import { compileRules, type RuleSet } from "./rule_set.ts";

const RULE = (id: string, source = "{ category: process_creation, product: linux }") =>
  `title: ${id}\nid: ${id}\nname: name_${id}\nlogsource: ${source}\n` +
  "detection: { s: { A: x }, condition: s }\n";
const FILTER = (body: string, source = "{ product: linux }") =>
  `title: F\nid: f\nlogsource: ${source}\nfilter:\n${body}\n`;

function load(...documents: readonly string[]): RuleSet {
  return compileRules([{ path: "t.yml", text: documents.join("---\n") }]);
}

function fired(set: RuleSet, event: Readonly<Record<string, string>>): string[] {
  return new ImageReader(set.image, set.fields).fire(new Map(Object.entries(event)))
    .map((index) => set.rules[index]?.id ?? "");
}

Deno.test("a filter leaves events out for the rules that it names, by id or name", () => {
  const filter = FILTER("  rules: [a, name_b]\n  s: { User: adm }\n  condition: s");
  const set = load(filter, RULE("a"), RULE("b"), RULE("c"));
  assertEquals(set.rejected, []);
  assertEquals(fired(set, { A: "x", User: "me" }), ["a", "b", "c"]);
  assertEquals(fired(set, { A: "x", User: "adm" }), ["c"]);
  assertEquals(fired(set, { A: "x" }), ["a", "b", "c"]);
  assertEquals(set.rules.map(({ filteredBy }) => filteredBy), [["F"], ["F"], []]);
});

Deno.test("a filter that only negates says what stays", () => {
  for (const condition of ["not s", "not s and not t", "not 1 of s*"]) {
    const filter = FILTER(
      `  rules: any\n  s: { User: adm }\n  t: { Group: x }\n  condition: ${condition}`,
    );
    const set = load(RULE("a"), filter);
    assertEquals(fired(set, { A: "x", User: "adm" }), [], condition);
    assertEquals(fired(set, { A: "x", User: "me" }), ["a"], condition);
  }
  const neq = FILTER("  rules: any\n  s: { User|neq: adm }\n  condition: s");
  assertEquals(fired(load(RULE("a"), neq), { A: "x", User: "adm" }), ["a"]);
});

Deno.test("a filter of any rule is for those of its log source, several filters together", () => {
  const any = FILTER("  rules: any\n  s: { User: adm }\n  condition: s");
  const windows = RULE("w", "{ category: process_creation, product: windows }");
  const other = FILTER("  rules: all\n  s: { Group: g }\n  condition: s").replace("id: f", "id: g");
  const set = load(RULE("a"), windows, any, other);
  assertEquals(set.rejected, []);
  assertEquals(fired(set, { A: "x", User: "adm" }), ["w"]);
  assertEquals(fired(set, { A: "x", Group: "g" }), ["w"]);
});

Deno.test("a filter that cannot load, or is for no rule, is named", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["  rules: [a, b]\n  s: { User: x }\n  condition: s", `Filter is for "b"`],
    ["  s: { User: x }\n  condition: s", `"filter.rules" is missing`],
    ["  rules: any\n  s: { User: x }", `"condition" is missing`],
    ["  rules: any\n  s: { User|foo: x }\n  condition: s", `Unknown modifier "foo"`],
  ];
  for (const [body, reason] of cases) {
    const { rules, rejected } = load(RULE("a"), FILTER(body));
    assertEquals(rules.length, 1, body);
    assertEquals(rejected.map(({ id, path }) => [id, path]), [["f", "t.yml"]], body);
    assert(rejected[0]?.reason.includes(reason), rejected[0]?.reason);
    assert((rejected[0]?.line ?? 0) > 5, "line of the filter");
  }
});
