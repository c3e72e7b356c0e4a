import { assert, assertEquals } from "@std/assert";
import { encodeRecord } from "../../common/record/mod.ts";
import { alertSchema } from "../../common/wire/alert.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { CONTEXT, execRules, joined, KeptSink } from "../pipeline/_pipeline_test_support.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { RulesInForce } from "../pipeline/rules_in_force.ts";
import { indicators, loaded } from "./_indicators_test_support.ts";
import { IndicatorLookup } from "./lookup.ts";

const HEADER = { pid: 7, start_time_ns: 5n, source: 1, time_ns: 9n } as const;

/** Alerts that a pipeline raises for records, without rules. */
async function alertsOf(
  records: readonly Uint8Array[],
  listed: ReturnType<typeof indicators>,
): Promise<readonly Alert[]> {
  const engine = await Engine.create();
  const lookup = new IndicatorLookup(engine);
  lookup.use(loaded(listed));
  const bytes = joined(records);
  const sink = new KeptSink();
  const source = {
    poll: (view: Uint8Array): number => {
      view.set(bytes);
      return bytes.length;
    },
    stats: () => [],
  };
  const pipeline = new Pipeline({
    source,
    engine,
    sink,
    rules: new RulesInForce(engine, execRules(["s: { CommandLine: never }", "condition: s"])),
    indicators: lookup,
    epoch: 1,
    context: () => CONTEXT,
    onAlert: () => {},
  });
  pipeline.step(0);
  assertEquals(pipeline.alerts, sink.alerts.length);
  return sink.alerts;
}

function exec(sequence: number, image: string): Uint8Array {
  return encodeRecord("exec", {
    header: { ...HEADER, sequence },
    slots: { image, argv: "m\0--password\0secret\0", file_name: image },
  });
}

Deno.test("Pipeline raises an alert of a watched file opened by a listed name of it", async () => {
  const record = encodeRecord("open", {
    header: { ...HEADER, sequence: 1 },
    slots: { path: "/etc/file", opened_as: "/tmp/evil.bin" },
  });
  const listed = indicators([{
    type: "name",
    value: "evil.bin",
    source: "one",
    id: "1",
    severity: "low",
  }]);
  const alerts = await alertsOf([record], listed);
  assertEquals(
    alerts.map(({ threat }) => threat?.enrichments[0]?.matched.field),
    ["file.opened_as"],
  );
});

Deno.test("Pipeline raises an alert of all who list a value, the most severe first", async () => {
  const [alert, ...more] = await alertsOf(
    [exec(1, "/tmp/a"), exec(2, "/tmp/b")],
    indicators([
      { type: "path", value: "/tmp/a", source: "one", id: "1", severity: "low" },
      {
        type: "path",
        value: "/tmp/a",
        source: "two",
        id: "2",
        severity: "critical",
        labels: ["t"],
      },
    ]),
  );
  assert(alert !== undefined && more.length === 0);
  alertSchema.parse(alert);
  assertEquals([alert.rule.id, alert.rule.title, alert.severity, alert.rule.tags], [
    "2",
    "Listed path: /tmp/a (two)",
    "critical",
    ["t"],
  ]);
  assertEquals(alert.threat?.enrichments.map(({ indicator }) => indicator.provider), [
    "two",
    "one",
  ]);
  assert(!JSON.stringify(alert).includes("secret"), "arguments are masked");
});

Deno.test("Pipeline gives the same alert id for the same value and record, whoever lists it", async () => {
  const ids = await Promise.all(["one", "two"].map(async (source) => {
    const listed = indicators([{ type: "path", value: "/tmp/a", source, id: source }]);
    return (await alertsOf([exec(1, "/tmp/a")], listed)).map(({ id }) => id);
  }));
  assertEquals(ids[0], ids[1]);
});

Deno.test("Pipeline raises an alert for each listed value of a record", async () => {
  const alerts = await alertsOf(
    [exec(1, "/tmp/a")],
    indicators([
      { type: "path", value: "/tmp/a" },
      { type: "name", value: "a" },
      { type: "name", value: "b" },
    ]),
  );
  assertEquals(alerts.map(({ rule }) => rule.id), ["path:/tmp/a", "name:a"]);
  assertEquals(new Set(alerts.map(({ id }) => id)).size, 2);
});

Deno.test("Pipeline raises nothing for what is not listed, or is over", async () => {
  const past = Date.parse("2026-01-01T00:01:00Z");
  const listed = indicators([
    { type: "path", value: "/tmp/a", expiresMs: past },
    { type: "ipv4", value: "192.0.2.1" },
  ]);
  const connect = encodeRecord("connect", {
    header: { ...HEADER, sequence: 2 },
    body: { family: 2, address: Uint8Array.from([192, 0, 2, 2, ...new Uint8Array(12)]) },
  });
  assertEquals(await alertsOf([exec(1, "/tmp/a"), connect], listed), []);
});

Deno.test("Pipeline raises an alert for a listed hash of a program, with the process that runs it", async () => {
  const sha256 = "ab".repeat(32);
  const hash = encodeRecord("image_hash", {
    header: { ...HEADER, source: 0xF005, sequence: 1 },
    body: { is_program: 1 },
    slots: { path: "/tmp/m", sha256: Uint8Array.fromHex(sha256) },
  });
  const listed = indicators([{ type: "sha256", value: sha256 }]);
  const alerts = await alertsOf([exec(1, "/tmp/m"), hash], listed);
  assertEquals(alerts.map(({ rule }) => rule.id), [`sha256:${sha256}`]);
  assertEquals(alerts[0]?.process?.executable, "/tmp/m");
  const other = indicators([{ type: "sha256", value: "ac".repeat(32) }]);
  assertEquals(await alertsOf([exec(1, "/tmp/m"), hash], other), []);
});
