import { assert, assertEquals } from "@std/assert";
import { Journal } from "../../common/journal/mod.ts";
import {
  decodeRecords,
  encodeRecord,
  KINDS,
  type RecordView,
  SOURCES,
} from "../../common/record/mod.ts";
import { countRecords } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { CONTEXT, inFolder, joined, shellExec } from "./_pipeline_test_support.ts";
import { contextBatches } from "./context.ts";
import { JournalSink } from "./journal_sink.ts";

const USERS = new Map([[0, "root"], [1000, "ana"]]);
const HASH = "ef".repeat(32);
const RULES = { hash: HASH, roles: [{ id: 5, name: "coding_agent" }] };

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function feed(engine: Engine, records: readonly Uint8Array[]): void {
  const bytes = joined(records);
  engine.batch.set(bytes);
  engine.scan(bytes.length);
}

function contextOf(engine: Engine): { records: RecordView[]; sizes: number[] } {
  const [records, sizes]: [RecordView[], number[]] = [[], []];
  for (const batch of contextBatches({ engine, users: USERS, rules: RULES, timeNs: 5n })) {
    assertEquals(countRecords(batch.records), batch.recordCount);
    sizes.push(batch.records.length);
    records.push(...decodeRecords(batch.records.slice()));
  }
  return { records, sizes };
}

Deno.test("contextBatches() gives rule set, users and live processes, not ended ones", async () => {
  const engine = await Engine.create();
  const exit = encodeRecord("exit", {
    header: {
      pid: 1002,
      tid: 1002,
      start_time_ns: 2_000_000n,
      time_ns: 9_000_000n,
      source: SOURCES.replay,
    },
  });
  feed(engine, [shellExec(1, "-c", "one"), shellExec(2, "-c", "two"), exit]);
  const { records } = contextOf(engine);
  assertEquals(textOf(records[0]?.slot("rule_set", "hash")), HASH);
  assertEquals(
    records.filter((each) => each.kindId === KINDS.user.id).map((each) => each.uid),
    [0, 1000],
  );
  const processes = records.filter((each) => each.kindId === KINDS.process.id);
  assertEquals(processes.map((each) => each.pid), [1001]);
  assertEquals(textOf(processes[0]?.slot("process", "argv")), "bash\0-c\0one\0");
  assert(records.every((each) => each.source === SOURCES.agent));
});

Deno.test("contextBatches() lets another engine know every process, in bounded batches", async () => {
  const engine = await Engine.create();
  const filler = "x".repeat(4000);
  const numbers = Array.from({ length: 300 }, (_, i) => i + 1);
  for (const number of numbers) feed(engine, [shellExec(number, filler)]);
  const { records, sizes } = contextOf(engine);
  assert(sizes.length > 1 && sizes.every((size) => size <= 256 * 1024), String(sizes));
  const other = await Engine.create();
  for (const record of records) feed(other, [record.bytes]);
  for (const number of numbers) {
    const row = other.process(1000 + number, BigInt(number) * 1_000_000n);
    assert(row !== undefined, `process ${number}`);
    assertEquals(textOf(other.program(row.program)?.image), "/usr/bin/bash");
  }
});

Deno.test("contextBatches() makes the last segment readable alone", () =>
  inFolder(async (folder) => {
    const engine = await Engine.create();
    using journal = Journal.open(`${folder}/journal`, {
      segmentBytes: 16 * 1024,
      totalBytes: 40 * 1024,
      context: () => contextBatches({ engine, users: USERS, rules: RULES, timeNs: 5n }),
    });
    const sink = new JournalSink(journal, {
      epoch: 1,
      context: () => CONTEXT,
      bootTimeNs: () => 7n,
      onWarning: (message) => assert(false, message),
    });
    feed(engine, [shellExec(1, "-c", "long ago")]);
    for (let number = 2; number < 60; number++) {
      const fork = encodeRecord("fork", {
        header: { pid: 5, tid: 5, sequence: number, source: SOURCES.replay },
      });
      sink.append(joined(Array.from({ length: 8 }, () => fork)), { recordCount: 8, losses: [] });
    }
    journal.flush();
    assert(journal.stats().evictedRecords > 0, "the first segment is gone");
    const oldest = [...Deno.readDirSync(`${folder}/journal`)]
      .map((entry) => entry.name).filter((name) => name.endsWith(".batches")).sort()[0] ?? "";
    const first = [...journal.read(parseInt(oldest, 10))][0];
    const records = [...decodeRecords(first?.records ?? new Uint8Array())];
    const known = records.find((each) => each.kindId === KINDS.process.id);
    assertEquals([records[0]?.kindId, known?.pid], [KINDS.rule_set.id, 1001]);
    assertEquals(textOf(known?.slot("process", "argv")), "bash\0-c\0long ago\0");
  }));
