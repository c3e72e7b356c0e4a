import { assert, assertEquals } from "@std/assert";
import { explainEvent } from "../../agent/pipeline/explain_event.ts";
import { parseRules } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { explanationLines } from "./explanation.ts";

const TEXT = `
title: R
id: r
logsource: { category: process_creation }
detection:
  many: { A: [${Array.from({ length: 12 }, (_, i) => `v${i}`).join(", ")}] }
  both: { B|contains|all: [x, y] }
  other: { C: null }
  condition: many and both and not other
---
title: F
logsource: { category: process_creation }
filter: { rules: any, s: { D: out }, condition: s }
`;

async function linesOf(event: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const { rules, rejected } = parseRules([{ path: "r.yml", text: TEXT }]);
  assertEquals(rejected, []);
  const [parsed] = rules;
  assert(parsed !== undefined);
  return explanationLines(explainEvent(parsed.rule, event, { engine: await Engine.create() }));
}

Deno.test("explanationLines() shows of a choice what holds, else its first few", async () => {
  const found = await linesOf({ A: "v7", B: "x" });
  assert(found.includes('    + A "v7": it is "v7"'), found.join("\n"));
  assert(!found.some((line) => line.includes('"v6"')), found.join("\n"));
  const none = await linesOf({ A: "w" });
  assert(none.includes("  - one of 12: 0 hold"), none.join("\n"));
  assert(none.includes("    ... and 4"), none.join("\n"));
});

Deno.test("explanationLines() names absent fields, filters and other log sources", async () => {
  const lines = await linesOf({
    A: "v1",
    B: "xy",
    D: "out",
    logsource: { category: "file_event" },
  });
  for (
    const line of [
      "- log source: the event is of another",
      "- condition: many and both and not other",
      "+ both",
      '- filter "F" leaves the event out',
    ]
  ) assert(lines.includes(line), `${line} in\n${lines.join("\n")}`);
  assert((await linesOf({ B: "x" })).includes('  - B "*y*": it is "x"'));
});

Deno.test("explanationLines() cuts long values and says by how much", async () => {
  const lines = await linesOf({ A: "v1", B: "x".repeat(500) });
  assert(lines.some((line) => line.endsWith('" and 300 more')), lines.join("\n"));
});
