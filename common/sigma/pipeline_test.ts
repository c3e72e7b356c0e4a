import { assert, assertEquals } from "@std/assert";
import { ImageReader } from "./_image_test_support.ts";
import { compileRules, type RuleSet } from "./rule_set.ts";
import type { RuleOptions } from "./selection.ts";

const RULE = "title: T\nid: t\nlogsource: {}\n" +
  "detection: { s: { User|expand: 'x-%admins%' }, condition: s }\n";

function load(texts: readonly string[], options: RuleOptions = {}): RuleSet {
  return compileRules(texts.map((text, i) => ({ path: `${i}.yml`, text })), options);
}

function fires(set: RuleSet, user: string): boolean {
  return new ImageReader(set.image, set.fields).fire(new Map([["User", user]])).length === 1;
}

Deno.test("a pipeline gives placeholders their values, wherever it stands", () => {
  const pipeline = "name: ours\nvars: { admins: [root, adm*], port: 22 }\n" +
    "transformations: [{ type: value_placeholders }]\n";
  for (const texts of [[pipeline, RULE], [RULE, pipeline], [`${RULE}---\n${pipeline}`]]) {
    const set = load(texts);
    assertEquals(set.rejected, []);
    assertEquals(["x-root", "x-admin", "x-me"].map((user) => fires(set, user)), [
      true,
      true,
      false,
    ]);
  }
});

Deno.test("a pipeline makes a placeholder a wildcard where it says so", () => {
  const pipeline = "transformations:\n  - type: wildcard_placeholders\n    include: [admins]\n";
  const set = load([pipeline, RULE]);
  assertEquals([fires(set, "x-any"), fires(set, "y")], [true, false]);
});

Deno.test("values that the caller gives come before those of a pipeline", () => {
  const placeholders = new Map([["admins", ["me"]]]);
  const set = load(["vars: { admins: root }\n", RULE], { placeholders });
  assertEquals([fires(set, "x-me"), fires(set, "x-root")], [true, false]);
});

Deno.test("a pipeline that does not hold is named, with its place", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["vars: [x]\n", "RULE_INVALID", `Key "vars"`],
    [`vars: { a: [${"x,".repeat(5000)}] }\n`, "RULE_INVALID", "4096 values"],
    ["transformations: [{ type: add_condition }]\n", "RULE_UNSUPPORTED", "add_condition"],
    ["transformations: [{ type: wildcard_placeholders }]\n", "RULE_INVALID", "include"],
  ];
  for (const [text, code, reason] of cases) {
    const [found] = load([text]).rejected;
    assertEquals([found?.path, found?.code], ["0.yml", code], text);
    assert(found?.reason.includes(reason), found?.reason);
  }
  const twice = load(["vars: { admins: root }\n", "vars: { admins: me }\n", RULE]);
  assertEquals(twice.rejected.map(({ path }) => path), ["1.yml"]);
  assert(twice.rejected[0]?.reason.includes("0.yml:1"), twice.rejected[0]?.reason);
  assertEquals(fires(twice, "x-root"), true);
});
