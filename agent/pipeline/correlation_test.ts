import { assertEquals } from "@std/assert";
import { SOURCES } from "../../common/record/mod.ts";
import type { RuleSet } from "../../common/sigma/mod.ts";
import { alertSchema } from "../../common/wire/alert.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { correlatedRules } from "./_correlation_test_support.ts";
import { CONTEXT, inFolder, joined, KeptSink, shellExec } from "./_pipeline_test_support.ts";
import type { HostCorrelation } from "./correlation.ts";
import { CorrelationState } from "./correlation_state.ts";
import { Pipeline } from "./pipeline.ts";
import { RulesInForce } from "./rules_in_force.ts";

const THEN = {
  type: "temporal_ordered",
  rules: ["fetch", "launch"],
  "group-by": ["Image"],
  timespan: "1m",
};

/** Alerts that records raise, in one batch. */
async function raised(
  ruleSet: RuleSet,
  records: readonly Uint8Array[],
  correlation?: HostCorrelation,
): Promise<readonly Alert[]> {
  const engine = await Engine.create();
  const sink = new KeptSink();
  const waiting = [joined(records)];
  const pipeline = new Pipeline({
    source: {
      poll: (view) => {
        const next = waiting.shift() ?? new Uint8Array();
        view.set(next);
        return next.length;
      },
      stats: () => [],
    },
    engine,
    sink,
    rules: new RulesInForce(engine, ruleSet),
    correlation,
    epoch: 3,
    context: () => CONTEXT,
    onAlert: () => {},
  });
  pipeline.step(0);
  return sink.alerts;
}

Deno.test("Pipeline raises an alert for a correlation, none for its members", async () => {
  const rules = correlatedRules(["fetch", "launch", "other"], [THEN]);
  const records = [
    shellExec(1, "launch"),
    shellExec(2, "fetch"),
    shellExec(3, "other"),
    shellExec(4, "launch"),
  ];
  const alerts = await raised(rules, records);
  assertEquals(alerts.map(({ rule }) => rule.id), ["other", "c0"]);
  const found = alerts[1];
  assertEquals([found?.severity, found?.process?.pid], ["high", 1004]);
  assertEquals(found?.rule.ruleset, rules.hash);
  const at = (number: number): string => new Date(1_700_000_000_000 + number).toISOString();
  const event = (number: number): string => `${CONTEXT.bootId}/3/${SOURCES.replay}/${number}`;
  assertEquals(found?.correlation, {
    type: "temporal_ordered",
    group: { Image: "/usr/bin/bash" },
    value: 2,
    hits: 3,
    first: at(1),
    last: at(4),
    members: [
      { rule: "launch", event: event(1), time: at(1) },
      { rule: "fetch", event: event(2), time: at(2) },
      { rule: "launch", event: event(4), time: at(4) },
    ],
  });
  assertEquals(alertSchema.safeParse(found).error, undefined);
});

Deno.test("Pipeline raises alerts for members of a correlation that generates them", async () => {
  const rules = correlatedRules(["fetch", "launch"], [{ ...THEN, generate: true }]);
  const alerts = await raised(rules, [shellExec(1, "fetch"), shellExec(2, "launch")]);
  assertEquals(alerts.map(({ rule }) => rule.id), ["fetch", "launch", "c0"]);
  assertEquals(new Set(alerts.map(({ id }) => id)).size, 3);
});

Deno.test("Pipeline leaves a correlation's members silent, and those of a chain", async () => {
  const rules = correlatedRules(["fetch", "launch"], [
    { type: "event_count", rules: ["fetch"], timespan: "1m", condition: { gte: 2 } },
    { ...THEN, rules: ["c0", "launch"], "group-by": [] },
  ]);
  const records = [shellExec(1, "fetch"), shellExec(2, "fetch"), shellExec(3, "launch")];
  const alerts = await raised(rules, records);
  assertEquals(alerts.map(({ rule }) => rule.id), ["c1"]);
  assertEquals(alerts[0]?.correlation?.members.map(({ rule }) => rule), ["c0", "launch"]);
});

Deno.test("CorrelationState keeps windows and what was seen through a restart", async () => {
  await inFolder(async (folder) => {
    const paths = { correlation: `${folder}/correlation`, sightings: `${folder}/sightings` };
    const warnings: string[] = [];
    const open = () => new CorrelationState(paths, { onWarning: (line) => warnings.push(line) });
    const rules = correlatedRules(["fetch", "launch"], [
      THEN,
      { type: "first_seen", rules: ["fetch"], "group-by": ["CommandLine"], timespan: "7d" },
    ]);
    const now = (records: readonly Uint8Array[], { correlation }: CorrelationState) =>
      raised(rules, records, correlation);
    const first = open();
    const before = await now([shellExec(1, "fetch")], first);
    assertEquals(before.map(({ rule }) => rule.id), ["c1"]);
    // Windows are those of the clock of the records; nothing is over at their time.
    const saved = first.correlation.save();
    first[Symbol.dispose]();
    await Deno.writeFile(paths.correlation, saved ?? new Uint8Array());
    {
      using quiet = open();
      assertEquals(quiet.correlation.save(), saved, "nothing happened in this run");
    }
    using second = open();
    const after = await now([shellExec(2, "fetch"), shellExec(3, "launch")], second);
    assertEquals(after.map(({ rule }) => rule.id), ["c0"]);
    assertEquals(after[0]?.correlation?.hits, 3);
    assertEquals(warnings, []);
  });
});

Deno.test("CorrelationState starts empty with files that are torn, and says so", async () => {
  await inFolder(async (folder) => {
    const paths = { correlation: `${folder}/correlation`, sightings: `${folder}/sightings` };
    await Deno.writeTextFile(paths.correlation, "torn");
    await Deno.writeTextFile(paths.sightings, "torn");
    const warnings: string[] = [];
    using state = new CorrelationState(paths, { onWarning: (line) => warnings.push(line) });
    const rules = correlatedRules(["fetch", "launch"], [THEN]);
    await raised(rules, [shellExec(1, "fetch")], state.correlation);
    assertEquals(warnings.length, 1);
    state.save();
    assertEquals(warnings.length, 1);
  });
});
