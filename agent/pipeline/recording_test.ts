import { assertEquals } from "@std/assert";
import { encodeRecord } from "../../common/record/mod.ts";
import { HEADER_OFFSETS } from "../../common/record/layout.ts";
import { compileRules } from "../../common/sigma/mod.ts";
import { encodeBatch } from "../../common/wire/mod.ts";
import { replayRecording } from "./recording.ts";

const RULES = compileRules([{
  path: "example.yml",
  text: `
title: Netcat
id: 6d6f9e0b-8a1d-4b6e-9f57-0c2f6d8e7a11
logsource: { category: process_creation, product: linux }
detection:
  selection: { Image|endswith: /nc }
  condition: selection
`,
}]);

const NC = encodeRecord("exec", { header: { pid: 7 }, slots: { image: "/bin/nc" } });

/** An exec that has no body: it holds as a record, but not as an exec. */
function withoutBody(): Uint8Array {
  const record = encodeRecord("fork", { header: { pid: 8 } });
  new DataView(record.buffer).setUint16(HEADER_OFFSETS.kind, 1, true);
  return record;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function replay(records: readonly Uint8Array[]): Promise<{
  readonly summary: { readonly events: number; readonly problems: number };
  readonly lines: readonly number[];
  readonly problems: readonly number[];
}> {
  const info = {
    first: 1,
    recordCount: records.length,
    losses: [],
    journalId: "0a".repeat(16),
    bootId: "0b".repeat(16),
    hostId: "0c".repeat(32),
    epoch: 1,
    wallOffsetNs: 0n,
  };
  const batch = encodeBatch(info, Uint8Array.from(records.flatMap((record) => [...record])));
  const lines: number[] = [];
  const problems: number[] = [];
  const summary = await replayRecording(once(batch), {
    ruleSet: RULES,
    onMatch: (match) => lines.push(match.line),
    onProblem: (line) => problems.push(line),
  });
  return { summary, lines, problems };
}

Deno.test("replayRecording() goes on behind a record that the engine refuses, and names it", async () => {
  const { summary, lines, problems } = await replay([NC, withoutBody(), withoutBody(), NC]);
  assertEquals([lines, problems], [[1, 4], [2, 3]]);
  assertEquals([summary.events, summary.problems], [4, 2]);
});

Deno.test("replayRecording() numbers records from 1", async () => {
  const { summary, lines } = await replay([NC, NC]);
  assertEquals([lines, summary.events, summary.problems], [[1, 2], 2, 0]);
});
