import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeRecords, type EcsDocument, KINDS, SOURCES } from "../../common/record/mod.ts";
import type { RuleSet } from "../../common/sigma/mod.ts";
import { type Alert, LOSS_CAUSES } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { HITS_PER_SCAN_MAX } from "../../wasm/engine/engine.ts";
import { ReplaySensor } from "../sensors/replay.ts";
import {
  commandLineHas,
  CONTEXT,
  execRules,
  joined,
  KeptSink,
  ruleId,
  shellExec,
} from "./_pipeline_test_support.ts";
import { ALERTS_PER_BATCH_MAX, Pipeline, type PipelineParts } from "./pipeline.ts";
import { RulesInForce } from "./rules_in_force.ts";

interface Played {
  readonly pipeline: Pipeline;
  readonly sink: KeptSink;
  readonly shown: readonly Alert[];
  readonly documents: readonly EcsDocument[];
}

async function pipelineOf(
  source: PipelineParts["source"],
  ruleSet: RuleSet,
  more: Partial<PipelineParts> = {},
): Promise<Played> {
  const engine = await Engine.create();
  const [shown, documents]: [Alert[], EcsDocument[]] = [[], []];
  const sink = new KeptSink();
  const pipeline = new Pipeline({
    source,
    engine,
    sink,
    rules: new RulesInForce(engine, ruleSet),
    epoch: 3,
    context: () => CONTEXT,
    onAlert: (alert) => shown.push(alert),
    onDocument: (document) => documents.push(document),
    ...more,
  });
  return { pipeline, sink, shown, documents };
}

/** Takes a recording through a pipeline to its end. */
async function play(records: readonly Uint8Array[], ruleSet: RuleSet): Promise<Played> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, joined(records));
    using sensor = new ReplaySensor(path);
    const played = await pipelineOf(sensor, ruleSet);
    while (played.pipeline.step(0) > 0);
    return played;
  } finally {
    await Deno.remove(path);
  }
}

/** A source that gives these buffers, whatever they hold, one a poll. */
function buffers(...given: readonly Uint8Array[]): PipelineParts["source"] {
  const left = [...given];
  return {
    poll: (view) => {
      const next = left.shift() ?? new Uint8Array();
      view.set(next);
      return next.length;
    },
    stats: () => [],
  };
}

Deno.test("Pipeline raises an alert for each rule and record, and keeps every record", async () => {
  const records = [
    shellExec(1, "-c", ": /dev/tcp/192.0.2.1/9"),
    shellExec(2, "-c", "true"),
    shellExec(3, "-c", ": /dev/tcp/192.0.2.1/9 x"),
  ];
  const rules = execRules(commandLineHas("/dev/tcp/"), commandLineHas("/9 x"));
  const { pipeline, sink, shown, documents } = await play(records, rules);
  assertEquals(
    shown.map((alert) => [alert.rule.id, alert.process?.pid]),
    [[ruleId(0), 1001], [ruleId(0), 1003], [ruleId(1), 1003]],
  );
  assertEquals(sink.alerts, [...shown]);
  assertEquals(new Set(shown.map((alert) => alert.id)).size, 3);
  assertEquals(shown[0]?.process?.command_line, "bash -c : /dev/tcp/192.0.2.1/9");
  assertEquals(shown[0]?.rule.ruleset, rules.hash);
  assertEquals(joined(sink.batches.map((batch) => batch.records)), joined(records));
  assertEquals(documents.map((document) => document.process?.pid), [1001, 1002, 1003]);
  assertEquals([pipeline.records, pipeline.alerts, pipeline.lost], [3, 3, 0]);
});

Deno.test("Pipeline matches what was there, and lets nothing out unmasked", async () => {
  const secret = `sk-ant-api03-${"Q7w".repeat(20)}`;
  const records = [shellExec(1, "--api-key", secret), shellExec(2, "harmless")];
  const { pipeline, sink, shown, documents } = await play(
    records,
    execRules(commandLineHas("Q7wQ7w")),
  );
  assertEquals([pipeline.alerts, pipeline.masked], [1, 1]);
  const kept = new TextDecoder("latin1").decode(sink.batches[0]?.records);
  assertStringIncludes(kept, "--api-key");
  for (const text of [kept, JSON.stringify(shown), JSON.stringify(documents)]) {
    assert(!text.includes("Q7wQ7w"), text);
  }
});

Deno.test("Pipeline folds alerts over the bound of a batch, and counts them", async () => {
  const over = 7;
  const records = Array.from(
    { length: ALERTS_PER_BATCH_MAX + over },
    (_, i) => shellExec(i + 1, "x"),
  );
  const { pipeline, sink, shown } = await pipelineOf(
    buffers(joined(records)),
    execRules(commandLineHas("bash")),
  );
  assertEquals(pipeline.step(0), joined(records).length);
  assertEquals(
    [shown.length, sink.alerts.length, pipeline.alerts].map((n) => n - ALERTS_PER_BATCH_MAX),
    [
      0,
      0,
      0,
    ],
  );
  assertEquals(sink.losses, [["alerts_folded", over]]);
  assertEquals([pipeline.records, pipeline.lost], [records.length, over]);
});

Deno.test("Pipeline counts hits that the engine had no room for as folded too", async () => {
  const rules = execRules(...Array.from({ length: 40 }, () => commandLineHas("bash")));
  const records = Array.from({ length: 2000 }, (_, i) => shellExec(i + 1, "x"));
  const hits = rules.rules.length * records.length;
  assert(hits > HITS_PER_SCAN_MAX);
  const { pipeline, sink } = await pipelineOf(buffers(joined(records)), rules);
  pipeline.step(0);
  assertEquals(sink.losses, [["alerts_folded", hits - ALERTS_PER_BATCH_MAX]]);
  assertEquals(pipeline.lost, hits - ALERTS_PER_BATCH_MAX);
});

Deno.test("Pipeline keeps what comes before malformed bytes, and reports them once", async () => {
  const good = [shellExec(1, "x"), shellExec(2, "x")];
  const { pipeline, sink, shown } = await pipelineOf(
    buffers(joined([...good, new Uint8Array(64).fill(0xFF)]), shellExec(3, "y")),
    execRules(commandLineHas("bash")),
  );
  while (pipeline.step(0) > 0);
  assertEquals(sink.losses, [["malformed", 1]]);
  assertEquals(sink.batches.map(({ losses }) => losses.map((loss) => loss.certain)), [[false], []]);
  assertEquals([pipeline.records, shown.length, pipeline.lost], [3, 3, 1]);
});

Deno.test("Pipeline survives bytes without one record; the loss goes with the next", async () => {
  const { pipeline, sink } = await pipelineOf(
    buffers(new Uint8Array(512).fill(0xFF), new Uint8Array(8), shellExec(1, "x")),
    execRules(commandLineHas("none")),
  );
  while (pipeline.step(0) > 0);
  assertEquals(sink.batches.length, 1);
  assertEquals(sink.losses, [["malformed", 2]]);
  assertEquals([...decodeRecords(sink.batches[0]?.records ?? new Uint8Array())].length, 1);
});

Deno.test("Pipeline hands losses of the sensor and of the sequences to the sink, once", async () => {
  const source = {
    ...buffers(joined([shellExec(1), shellExec(6)]), shellExec(7), shellExec(8)),
    stats: () => [{
      kind: KINDS.exec.id,
      source: SOURCES.replay,
      sequence: 8,
      seen: 8,
      submitted: 5,
      filtered: 0,
      ringFull: 3,
      oversized: 0,
      unreadable: 0,
      folded: 0,
    }],
  };
  const cause = LOSS_CAUSES.not_attached;
  const { pipeline, sink } = await pipelineOf(source, execRules(commandLineHas("none")), {
    missing: [{ cause, kind: 0, source: 0, certain: false, count: 1, first: 0 }],
  });
  pipeline.step(0);
  assertEquals(sink.losses, [["not_attached", 1]]);
  assertEquals(pipeline.reconcile({ isLast: true }).map(({ count }) => count), [3, 1]);
  assertEquals(pipeline.reconcile(), []);
  while (pipeline.step(0) > 0);
  assertEquals(sink.losses, [["not_attached", 1], ["ring_full", 3], ["sequence_gap", 1]]);
  assertEquals(pipeline.lost, 4);
});

Deno.test("Pipeline.tellHealth() carries losses of a host that is quiet", async () => {
  const { pipeline, sink } = await pipelineOf(
    buffers(new Uint8Array(512).fill(0xFF)),
    execRules(commandLineHas("none")),
  );
  pipeline.step(0);
  assertEquals(sink.batches, []);
  pipeline.tellHealth();
  pipeline.tellHealth();
  assertEquals(sink.healths.map(({ losses }) => losses.map(({ count }) => count)), [[1], []]);
});

Deno.test("Pipeline.tellHealth() tells what was done since the last time, and takes losses along", async () => {
  const { pipeline, sink, shown } = await pipelineOf(
    buffers(joined([shellExec(1, "x"), shellExec(2, "y"), new Uint8Array(64).fill(0xFF)])),
    execRules(commandLineHas("x")),
  );
  pipeline.step(0);
  assertEquals(shown.length, 1);
  pipeline.tellHealth();
  pipeline.tellHealth();
  const told = sink.healths.map(({ health }) => [health.rules, health.records, health.alerts]);
  assertEquals(told, [[1, 2, 1], [1, 0, 0]]);
  const scans = sink.healths.map(({ health }) => health.scans.reduce((sum, each) => sum + each, 0));
  assertEquals(scans, [1, 0]);
  assert((sink.healths[0]?.health.scanTimeNs ?? 0) > 0);
});

Deno.test("Pipeline needs no sink and no rule", async () => {
  const { pipeline, documents } = await pipelineOf(buffers(shellExec(1)), execRules(), {
    sink: undefined,
  });
  assertEquals([pipeline.step(0) > 0, pipeline.step(0), documents.length], [true, 0, 1]);
});
