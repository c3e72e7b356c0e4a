import { assert, assertEquals } from "@std/assert";
import { decodeRecord, FLAGS, RECORD_BYTES_MAX } from "../../common/record/mod.ts";
import { compile } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";
import { encodeFlat, type FlatValue } from "./flat.ts";

const SET = compile(
  {
    category: "process_creation",
    detection: ["s: { CommandLine|contains: evil }", "condition: s"],
  },
  { category: "file_access", detection: ["s: { Custom: a, CommandLine: null }", "condition: s"] },
  { category: "dns_query", detection: ["s: { Custom: '' }", "condition: s"] },
);

const engine = await Engine.create();
engine.publish(SET.image);

function fired(event: Readonly<Record<string, FlatValue>>, logSources?: Uint8Array): number[] {
  const values = SET.fields.map((name) => event[name]);
  const length = encodeFlat(values, engine.batch, { logSources });
  return engine.scan(length).map(({ rule }) => rule).sort();
}

Deno.test("encodeFlat() feeds any field of the rules, whatever their log source", () => {
  assertEquals(fired({ CommandLine: "so EVIL" }), [0]);
  assertEquals(fired({ Custom: "A" }), [1]);
  assertEquals(fired({ Custom: "a", CommandLine: "" }), []);
  assertEquals(fired({ Custom: "" }), [2]);
  assertEquals(fired({}), []);
});

Deno.test("encodeFlat() with log sources tries only their rules", () => {
  const event = { CommandLine: "evil" };
  const claim = (category: string) => SET.logSourceBits({ category });
  assertEquals(fired(event, claim("process_creation")), [0]);
  assertEquals(fired(event, claim("file_access")), []);
  assertEquals(fired(event, new Uint8Array(0)), []);
});

Deno.test("encodeFlat() cuts what does not fit, flags it, and keeps the log sources", () => {
  const logSources = SET.logSourceBits({ category: "process_creation" });
  const values = SET.fields.map((name) =>
    name === "CommandLine" ? `evil${"x".repeat(70_000)}` : "y"
  );
  const length = encodeFlat(values, engine.batch, { logSources });
  assertEquals(length, RECORD_BYTES_MAX);
  const record = decodeRecord(engine.batch.slice(0, length));
  assert((record.flags & FLAGS.truncated) !== 0);
  assertEquals(engine.scan(length).map(({ rule }) => rule), [0]);
});

Deno.test("Engine.scan() takes a flat record of another rule set for malformed", () => {
  const before = engine.stats().records_malformed;
  engine.scan(encodeFlat(["evil"], engine.batch));
  assertEquals(engine.stats().records_malformed, before + 1);
});

Deno.test("Engine.scan() keeps flat records out of the process table", () => {
  const before = engine.stats();
  assertEquals(fired({ CommandLine: "evil" }), [0]);
  const after = engine.stats();
  assertEquals(after.processes_live, before.processes_live);
  assertEquals(after.processes_unknown, before.processes_unknown);
});
