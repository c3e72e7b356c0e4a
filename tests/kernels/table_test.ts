import { assertEquals } from "@std/assert";
import type { KernelResult } from "./matrix.ts";
import { table, totalsOf } from "./table.ts";

const PROGRAM = { name: "on_exec", section: "tp_btf/x", instructions: 5, bytes: 9, refusal: "" };
const RESULTS: readonly KernelResult[] = [
  {
    kernel: "6.1",
    arch: "x86_64",
    release: "6.1.0-56-cloud-amd64",
    lsm: "bpf",
    programs: [{ ...PROGRAM, verified: 300 }, { ...PROGRAM, verified: 0, refusal: "no" }],
    tests: [{ name: "a", state: "passed" }, { name: "b", state: "skipped" }],
    seconds: 41.6,
  },
  {
    kernel: "7",
    arch: "x86_64",
    release: "",
    lsm: "",
    programs: [],
    tests: [{ name: "a", state: "passed" }, { name: "b", state: "failed" }],
    seconds: 3,
    broken: "It did not come to its end",
  },
  {
    kernel: "5.10",
    arch: "x86_64",
    release: "",
    lsm: "",
    programs: [],
    tests: [],
    seconds: 0,
    skipped: "no package is like x",
  },
];

Deno.test("totalsOf() counts a kernel that broke as failed, one that was not booted as skipped", () => {
  assertEquals(totalsOf(RESULTS), { passed: 2, failed: 2, skipped: 2 });
});

Deno.test("table() has a line a kernel, and says what was skipped and why", () => {
  const [head, ...rows] = table(RESULTS);
  assertEquals(head?.split(/\s+/)[1], "programs");
  assertEquals(rows.map((row) => row.split(/\s+/).slice(0, 3)), [
    ["6.1", "1/2", "1"],
    ["7", "0/0", "1"],
    ["5.10", "-", "-"],
  ]);
  assertEquals(rows[2]?.endsWith("skipped: no package is like x"), true);
});
