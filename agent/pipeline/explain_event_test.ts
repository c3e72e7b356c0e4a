import { assert, assertEquals } from "@std/assert";
import {
  compileRules,
  type Explained,
  type JsonObject,
  parseRules,
  type Rule,
} from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { explainEvent } from "./explain_event.ts";
import { FlatMatcher } from "./flat_matcher.ts";

const ENGINE = await Engine.create();
const TEXT = `title: T
id: t
logsource: { category: process_creation, product: linux }
detection:
  tool: { Image|endswith: [/nc, /ncat] }
  address: { CommandLine|re: '\\d+\\.\\d+', CommandLine|contains: '10.' }
  twice: [{ A: x }, { B: y }, { C: z }]
  word: [listen]
  condition: [tool and (address or word), 2 of t*]
---
title: F
id: f
logsource: { product: linux }
filter: { rules: [t], admin: { User: root, Uid|lt: 5 }, condition: admin }
`;

function rule(): Rule {
  const { rules, rejected } = parseRules([{ path: "t.yml", text: TEXT }]);
  assertEquals(rejected, []);
  const [first] = rules;
  assert(first !== undefined);
  return first.rule;
}

/** One line a test: field, verdict and value. */
function lines(of: Explained): string[] {
  if (of.kind !== "test") return of.of.flatMap(lines);
  return [`${of.field} ${of.wants} ${of.holds} ${of.value ?? "-"}`];
}

Deno.test("explainEvent() says of each part whether it holds, and the field's value", () => {
  const event = { Image: "/usr/bin/nc", CommandLine: "nc 10.x", User: "root", Uid: 0 };
  const found = explainEvent(rule(), event, { engine: ENGINE });
  assertEquals(found.detection.selections.map(({ name, holds }) => [name, holds]), [
    ["tool", true],
    ["address", false],
    ["twice", false],
    ["word", false],
  ]);
  assertEquals(found.detection.conditions, [
    { text: "tool and (address or word)", holds: false },
    { text: "2 of t*", holds: false },
  ]);
  assertEquals(found.detection.selections.slice(0, 2).flatMap(({ of }) => lines(of)), [
    `Image "*/nc" true /usr/bin/nc`,
    `Image "*/ncat" false /usr/bin/nc`,
    `CommandLine re "\\d+\\.\\d+" false nc 10.x`,
    `CommandLine "*10.*" true nc 10.x`,
  ]);
  assertEquals([found.fires, found.filters[0]?.leavesOut], [false, true]);
});

Deno.test("explainEvent() agrees with the engine on the whole rule, its filter and log source", () => {
  const events: readonly JsonObject[] = [
    { Image: "/bin/nc", CommandLine: "nc 10.1" },
    { Image: "/bin/nc", CommandLine: "nc 10.1", User: "root", Uid: "4" },
    { Image: "/bin/nc", CommandLine: "nc 10.1", User: "root", Uid: "5" },
    { Image: "/bin/nc", CommandLine: "nc 10.1", logsource: { category: "file_event" } },
    { Image: "/bin/nc", CommandLine: "x", logsource: { category: "Process_Creation" } },
    { Image: "/bin/nc", CommandLine: "listen" },
    { Image: "/bin/nc", A: "x" },
    { A: "x" },
    {},
  ];
  const flat = compileRules([{ path: "t.yml", text: TEXT }]);
  const fired = events.map((event) => explainEvent(rule(), event, { engine: ENGINE }).fires);
  const matcher = new FlatMatcher(ENGINE, flat);
  assertEquals(fired, events.map((event) => matcher.match(event).rules.length === 1));
  assertEquals(fired, [true, false, true, false, false, true, true, false, false]);
});
