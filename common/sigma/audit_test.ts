import { assertEquals } from "@std/assert";
import { CLASSES } from "./image_layout.ts";
import type { Interest } from "./interest.ts";
import { compileRules, type RuleSet } from "./rule_set.ts";

function ruleSet(detection: string, service = "auditd"): RuleSet {
  const set = compileRules([{
    path: "t.yml",
    text: `title: T\nid: t\nlogsource: { product: linux, service: ${service} }\n` +
      `detection: ${detection}\n`,
  }]);
  assertEquals(set.rejected, []);
  return set;
}

function interest(detection: string): Interest {
  return ruleSet(detection).interest;
}

Deno.test("rules over auditd's log are for the records that carry what they ask for", () => {
  const { process_creation: exec, file_access: open } = CLASSES;
  for (
    const [detection, mask] of [
      ["{ s: { type: EXECVE, a0: chattr }, condition: s }", exec],
      ["{ s: { type: execve, a0: chattr }, condition: s }", exec],
      ["{ s: { type: PATH, name: /etc/x }, condition: s }", open],
      ["{ s: { type: [PATH, EXECVE], a0: x }, condition: s }", exec | open],
      ["{ s: { type: PATH, name: /etc/x }, t: { type: TTY }, condition: s or t }", open],
      ["{ s: { type: SERVICE_STOP, unit: ufw }, condition: s }", 0],
      ["{ s: { type: EXECVE }, t: { a0: x }, condition: s or t }", 0],
      ["{ s: { a0: x }, condition: s }", 0],
      ["{ t: { type: EXECVE }, condition: not t }", 0],
    ] as const
  ) assertEquals([detection, interest(detection).classMask], [detection, mask]);
});

Deno.test("rules over auditd's log watch the paths that they name, and no more", () => {
  const found = interest("{ s: { type: PATH, name: [/etc/x, /etc/y.d/*] }, condition: s }");
  assertEquals(found.watches, [
    { type: "file", path: "/etc/x" },
    { type: "tree", path: "/etc/y.d" },
  ]);
  assertEquals(found.wide, []);
  const either = "{ s: { type: PATH, name: /etc/x }, t: { type: EXECVE, a0: x }, " +
    "condition: s or t }";
  assertEquals(interest(either).watches, [{ type: "file", path: "/etc/x" }]);
  assertEquals(interest(either).wide, []);
  const [need] = interest("{ s: { type: PATH, name|endswith: /x }, condition: s }").wide;
  assertEquals(need?.why, "path");
});

Deno.test("fields of auditd's records are fed for its rules alone", () => {
  const detection = "{ s: { type: EXECVE, a0: x, auid: 1 }, condition: s }";
  assertEquals(ruleSet(detection).rules[0]?.unfed, []);
  assertEquals(ruleSet(detection, "other").rules[0]?.unfed, ["type", "a0", "auid"]);
});
