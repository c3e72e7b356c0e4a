import { assert, assertEquals } from "@std/assert";
import { sensorTest } from "../tests/support/probe.ts";
import { reportPrograms, reportTable } from "./bpf_report.ts";
import { LEFT_OUT } from "./programs.ts";

/** A fifth of what the verifier takes: room for older ones, which prune less. */
const VERIFIED_MAX = 200_000;
const LINES_MAX = 200;
/** Of these a kernel has one or the other. */
const WIDE_OPENS = ["on_open_exit", "on_old_open_exit"];

sensorTest("every program loads, far below the verifier's bound", async () => {
  const rows = await reportPrograms();
  assert(rows.length > 10, `${rows.length} programs`);
  assertEquals(rows.filter(({ refusal }) => refusal !== "" && refusal !== LEFT_OUT), []);
  const wide = rows.filter(({ name }) => WIDE_OPENS.includes(name));
  assertEquals(wide.map(({ refusal }) => refusal).sort(), ["", LEFT_OUT]);
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

Deno.test("reportTable() has a column for each other kernel", () => {
  const program = {
    name: "on_exec",
    section: "tp_btf/sched_process_exec",
    verified: 300,
    instructions: 20,
    bytes: 90,
    refusal: "",
  };
  const lines = reportTable([program], [
    { kernel: "5.10", programs: [{ ...program, verified: 0 }] },
    { kernel: "6.1", programs: [{ ...program, verified: 700 }] },
    { kernel: "7", programs: [{ ...program, refusal: "no" }] },
    { kernel: "8", programs: [] },
    { kernel: "9", programs: [{ ...program, refusal: LEFT_OUT }] },
  ]);
  assertEquals(lines.map((line) => line.trim().split(/ {2,}/)), [
    ["verified", "instructions", "bytes", "5.10", "6.1", "7", "8", "9", "program (section)"],
    [
      ...["300", "20", "90", "loads", "700", "refused", "-", LEFT_OUT],
      "on_exec (tp_btf/sched_process_exec)",
    ],
  ]);
});
