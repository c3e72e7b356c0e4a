import { assertEquals } from "@std/assert";
import { RECORD_BYTES_MAX } from "../../common/record/mod.ts";
import { compileRules, type JsonObject } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { commandLineHas, execRules, ruleId } from "./_pipeline_test_support.ts";
import { FlatMatcher } from "./flat_matcher.ts";

async function matcher(...rules: readonly string[][]): Promise<(event: JsonObject) => string[]> {
  const flat = new FlatMatcher(await Engine.create(), execRules(...rules));
  return (event) => flat.match(event).rules.map((rule) => rule.id);
}

Deno.test("FlatMatcher.match() gives all rules that fire, in their order", async () => {
  const match = await matcher(
    commandLineHas("/dev/tcp/"),
    ["s: { Image|endswith: /bash }", "condition: s"],
    commandLineHas("nothing of that"),
    commandLineHas("tcp"),
  );
  const flat = { Image: "/usr/bin/bash", CommandLine: "bash -c : /dev/tcp/127.0.0.1/4444" };
  assertEquals(match(flat), [ruleId(0), ruleId(1), ruleId(3)]);
  assertEquals(
    match({ process: { executable: flat.Image, command_line: flat.CommandLine } }),
    match(flat),
  );
  assertEquals(match({}), []);
});

Deno.test("FlatMatcher.match() keeps events apart, a field that the next one lacks", async () => {
  const match = await matcher(["s: { Image: /a, CommandLine: b }", "condition: s"]);
  assertEquals(match({ Image: "/a" }), []);
  assertEquals(match({ CommandLine: "b" }), []);
  assertEquals(match({ Image: "/a", CommandLine: "b" }), [ruleId(0)]);
});

Deno.test("FlatMatcher.match() tests the log source only where the event claims one", async () => {
  const match = await matcher(commandLineHas("x"));
  assertEquals(match({ CommandLine: "x" }), [ruleId(0)]);
  for (const [category, fires] of [["process_creation", 1], ["file_event", 0]] as const) {
    const event = { CommandLine: "x", logsource: { category, product: "linux" } };
    assertEquals(match(event).length, fires);
  }
});

Deno.test("FlatMatcher.match() tells an event that did not fit, and matches its start", async () => {
  const flat = new FlatMatcher(await Engine.create(), execRules(commandLineHas("needle")));
  const filler = "x".repeat(RECORD_BYTES_MAX);
  const start = flat.match({ CommandLine: `needle ${filler}` });
  assertEquals([start.truncated, start.rules.length], [true, 1]);
  const end = flat.match({ CommandLine: `${filler} needle` });
  assertEquals([end.truncated, end.rules.length], [true, 0]);
  assertEquals(flat.match({ CommandLine: "needle" }).truncated, false);
});

Deno.test("FlatMatcher.match() fires nothing, no rules", async () => {
  const flat = new FlatMatcher(await Engine.create(), compileRules([]));
  assertEquals(flat.match({ CommandLine: "x" }), { rules: [], truncated: false });
});
