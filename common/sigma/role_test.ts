import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeRejection } from "./rejection.ts";
import { OWN_ROLES_MAX } from "./role.ts";
import { ROLE_IDS } from "./role_ids.ts";
import { compileRules } from "./rule_set.ts";

const role = (name: string, detection: string, more = ""): string =>
  `title: A role\nrole: ${name}\n${more}detection:\n  s: ${detection}\n  condition: s\n`;

Deno.test("compileRules() takes role documents beside rules, and numbers the roles", () => {
  const text = [
    role("inference", "{ Image|endswith: /ollama }"),
    role("my_own", "{ CommandLine|contains: own }"),
    role("inference", "{ Image|endswith: /other }"),
  ].join("---\n");
  const { roles, rejected, rules } = compileRules([{ path: "r.yml", text }]);
  assertEquals(rejected, []);
  assertEquals(rules, []);
  const fixed = Object.entries(ROLE_IDS).map(([name, id]) => ({ id, name }));
  assertEquals(roles, [...fixed, { id: 64, name: "my_own" }]);
});

Deno.test("compileRules() names what a role document may not be, and loads the others", () => {
  const wrong: readonly (readonly [string, string])[] = [
    [role("Big", "{ Image: /a }"), '"role"'],
    [role("inference", "{ ParentImage: /a }"), "not by ParentImage"],
    [role("inference", "{ Image: null }"), "needs a test"],
    [role("inference", "{ Image|re: '(' }"), "Image"],
  ];
  for (const [text, reason] of wrong) {
    const good = role("notebook", "{ Image: /good }");
    const { rejected } = compileRules([{ path: "r.yml", text: `${text}---\n${good}` }]);
    assertEquals(rejected.length, 1);
    assertStringIncludes(rejected.map(describeRejection).join(), reason);
  }
});

Deno.test("compileRules() bounds the roles of a user", () => {
  const text = Array.from(
    { length: OWN_ROLES_MAX + 2 },
    (_, i) => role(`own_${i}`, `{ Image: /p${i} }`),
  ).join("---\n");
  const { roles, rejected } = compileRules([{ path: "r.yml", text }]);
  assertEquals(roles.length, Object.keys(ROLE_IDS).length + OWN_ROLES_MAX);
  assertEquals(rejected.length, 2);
});
