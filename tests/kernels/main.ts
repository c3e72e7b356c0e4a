// deno task test:kernels [NAME...] [--short] [--json] [--file PATH]...
//
// Boots Debian's kernels by emulation, each with the built sensor, the project and its live tests
// inside, and prints what each came to; ends with "N passed, N failed, N skipped". What the
// verifier did is kept for `deno task bpf:report`.

import { parseArgs } from "node:util";
import skips from "../skips.json" with { type: "json" };
import { keepPrograms } from "../../build/kernel_programs.ts";
import { FOLDER } from "./fetch.ts";
import { FULL, type Job, SHORT, VARIABLES } from "./job.ts";
import { KERNELS } from "./kernels.ts";
import { type KernelResult, runKernel } from "./matrix.ts";
import { table, totalsOf } from "./table.ts";

/** Longest that one guest may run, in milliseconds; everything takes more than an hour on two CPUs. */
const LIMIT_MS = 3 * 3_600_000;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      short: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      live: { type: "string", multiple: true },
      file: { type: "string", multiple: true },
    },
  });
  const names = KERNELS.map(({ name }) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    console.error(`Cannot boot kernel "${unknown}": there are ${names.join(", ")}`);
    return 2;
  }
  await Deno.mkdir(FOLDER, { recursive: true });
  const base = values.short ? SHORT : FULL;
  const chosen = values.live !== undefined || values.file !== undefined;
  const wanted = chosen ? { live: values.live ?? [], files: values.file ?? [] } : base;
  const set = Object.entries(Deno.env.toObject()).filter(([name]) => VARIABLES.includes(name));
  const job: Job = { ...wanted, variables: Object.fromEntries(set) };
  const results: KernelResult[] = [];
  // One after the other: each takes both CPUs of a small host.
  for (const kernel of KERNELS) {
    if (positionals.length > 0 && !positionals.includes(kernel.name)) continue;
    const onStep = (text: string): void => console.error(`${kernel.name}: ${text}`);
    results.push(await runKernel(kernel, { job, limitMs: LIMIT_MS, onStep }));
  }
  await keepPrograms(results);
  print(results, values.json);
  const unexplained = results.flatMap(({ tests }) => tests)
    .filter(({ name, state }) => state === "skipped" && neededBy(name) === undefined);
  const { failed } = totalsOf(results);
  return failed > 0 || unexplained.length > 0 ? 1 : 0;
}

function print(results: readonly KernelResult[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ ...totalsOf(results), kernels: results }));
    return;
  }
  for (const { kernel, programs, tests, broken } of results) {
    for (const { name, section, refusal } of programs) {
      if (refusal !== "") console.log(`${kernel}: does not load ${name} (${section}): ${refusal}`);
    }
    for (const { name, state, detail } of tests) {
      if (state === "failed") console.log(`${kernel}: failed: ${name}\n${detail ?? ""}`);
      if (state === "skipped") {
        console.log(
          `${kernel}: skipped: ${name}: ${neededBy(name) ?? "not explained in tests/skips.json"}`,
        );
      }
    }
    if (broken !== undefined) console.log(`${kernel}: ${broken}`);
  }
  for (const line of table(results)) console.log(line);
  const { passed, failed, skipped } = totalsOf(results);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}

/** What a skipped test needs, as tests/skips.json says. */
function neededBy(name: string): string | undefined {
  return skips.find(({ test }) => name.startsWith(test))?.needs;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
