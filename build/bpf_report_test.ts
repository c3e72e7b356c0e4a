import { assert, assertEquals } from "@std/assert";
import { sensorTest } from "../tests/support/probe.ts";
import { reportPrograms } from "./bpf_report.ts";

/** A tenth of what the verifier takes: room for older ones, which prune less. */
const VERIFIED_MAX = 100_000;
const LINES_MAX = 200;

sensorTest("every program loads, far below the verifier's bound", async () => {
  const rows = await reportPrograms();
  assert(rows.length > 10, `${rows.length} programs`);
  assertEquals(rows.filter(({ refusal }) => refusal !== ""), []);
  assertEquals(rows.filter(({ verified }) => verified > VERIFIED_MAX), []);
});

Deno.test("no file of programs is over 200 lines", () => {
  const folder = new URL("../bpf/events/", import.meta.url);
  const long = [...Deno.readDirSync(folder)]
    .map(({ name }) => ({ name, text: Deno.readTextFileSync(new URL(name, folder)) }))
    .filter(({ text }) => text.split("\n").length - 1 > LINES_MAX)
    .map(({ name }) => name);
  assertEquals(long, []);
});
