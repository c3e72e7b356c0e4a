import { assert, assertEquals } from "@std/assert";
import { compileRules } from "./rule_set.ts";
import { WATCHES_MAX } from "../record/bounds.ts";
import type { Interest } from "./interest.ts";

function interest(category: string, ...detections: readonly string[]): Interest {
  return compileRules(detections.map((detection, i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: ${detection}\n`,
  }))).interest;
}

function watches({ watches }: Interest): readonly string[] {
  return watches.map(({ type, path }) => `${type} ${path}`);
}

Deno.test("interest names the kinds that rules need, and identity only for its rules", () => {
  const rule = "{ s: { Image: x }, condition: s }";
  assertEquals(interest("process_creation", rule).kinds, ["exec", "fork", "exit"]);
  assertEquals(interest("network_connection", rule).kinds, ["exec", "fork", "exit", "connect"]);
  assertEquals(interest("network_bind", rule).kinds, ["exec", "fork", "exit", "bind"]);
  assertEquals(interest("identity", rule).kinds, ["exec", "fork", "exit", "identity"]);
  assertEquals(interest("identity", rule).identity, true);
  assertEquals(interest("process_creation", rule).identity, false);
  assertEquals(interest("registry_event", rule).classMask, 0);
});

Deno.test("interest watches exact files and directories, whatever else the rule asks", () => {
  const found = interest(
    "file_access",
    "{ s: { TargetFilename: [/etc/shadow, /etc/gshadow] }, f: { Image: /x }, " +
      "condition: s and not f }",
    "{ s: { TargetFilename|startswith: /etc/cron.d/, Image|endswith: /sh }, condition: s }",
    "{ s: { TargetFilename|startswith: /etc/sudo }, condition: s }",
  );
  assertEquals(watches(found), [
    "tree /etc",
    "tree /etc/cron.d",
    "file /etc/gshadow",
    "file /etc/shadow",
  ]);
  assertEquals(found.wide, []);
});

Deno.test("interest takes the file when a rule asks for a file within a directory", () => {
  const both = "{ a: { TargetFilename: /etc/x }, b: { TargetFilename|startswith: /etc/ }, " +
    "condition: a and b }";
  assertEquals(watches(interest("file_access", both)), ["file /etc/x"]);
});

Deno.test("interest names rules that no watch serves, with the cost", () => {
  const found = interest(
    "file_access",
    "{ s: { TargetFilename|endswith: /.ssh/id_rsa }, condition: s }",
    "{ s: { TargetFilename: [/etc/a, '*b'] }, condition: s }",
    "{ s: { Image: /x }, condition: s }",
    "{ s: { TargetFilename: /etc/a }, condition: not s }",
    "{ s: { TargetFilename: /etc/ok }, condition: s }",
    "{ s: { TargetFilename|startswith: /r }, condition: s }",
  );
  // What a watch can see of a rule it sees, also where that is not all.
  assertEquals(watches(found), ["file /etc/a", "file /etc/ok"]);
  assertEquals(found.wide.map(({ rule, why }) => [rule, why]), [
    [0, "path"],
    [1, "path"],
    [2, "path"],
    [3, "path"],
    [5, "path"],
  ]);
  assert(found.wide.every(({ reason }) => reason.includes("every open of the host")));
  assert(found.wide[0]?.reason.includes(`"*/.ssh/id_rsa"`));
});

Deno.test("interest watches what is changed, and opens only where a rule asks for them", () => {
  const one = "{ s: { TargetFilename: /etc/a }, condition: s }";
  for (const category of ["file_event", "file_delete", "file_rename", "file_change"]) {
    const found = interest(category, one);
    assertEquals(found.watches, [{ type: "file", path: "/etc/a", wants: "changes" }]);
    assertEquals(found.wide, []);
    assert(found.kinds.includes("change"));
  }
  const from = interest("file_rename", "{ s: { SourceFilename: /etc/a }, condition: s }");
  assertEquals(from.watches, [{ type: "file", path: "/etc/a", wants: "changes" }]);
  const both = compileRules(["file_event", "file_access", "file_event"].map((category, i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: ${one}\n`,
  })));
  assertEquals(both.interest.watches, [{ type: "file", path: "/etc/a", wants: "both" }]);
});

Deno.test("interest says which changes nothing tells", () => {
  const anywhere = "{ s: { TargetFilename|endswith: /a }, condition: s }";
  assertEquals(interest("file_event", anywhere).wide.map(({ why }) => why), ["path"]);
  const [need] = interest("file_delete", anywhere).wide;
  assertEquals(need?.why, "change");
  assert(need?.reason.includes("watched files alone"));
});

Deno.test("interest asks for a hook on system calls only where a rule can fire on what it tells", () => {
  const access = (detection: string) => interest("process_access", detection);
  assertEquals(access("{ s: { Access: attach, TargetRole: none }, condition: s }").calls, false);
  assertEquals(access("{ s: { Access: [attach, read] }, condition: s }").calls, true);
  assertEquals(access("{ s: { TargetRole: none }, condition: s }").calls, true);
  const act = interest("privileged_act", "{ s: { Act: mount }, condition: s }");
  assertEquals([act.calls, act.wide[0]?.why], [true, "calls"]);
  assert(act.kinds.includes("act"));
  assertEquals(interest("process_creation", "{ s: { Image: x }, condition: s }").calls, false);
});

Deno.test("interest counts the watches over the bound", () => {
  const paths = Array.from({ length: WATCHES_MAX + 3 }, (_, i) => `/x/${i}`);
  const rule = `{ s: { TargetFilename: [${paths.join(", ")}] }, condition: s }`;
  const found = interest("file_access", rule);
  assertEquals([found.watches.length, found.watchesDropped], [WATCHES_MAX, 3]);
});
