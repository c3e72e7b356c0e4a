// deno task ok: the one gate. Format, lint (our own rules too), types, documentation, the C code
// without warnings, a reproducible engine, and all tests over a floor of line coverage.

import { run } from "./run.ts";
import { buildWasm } from "./wasm.ts";

/** Share of lines that the tests must reach, in percent. */
const COVERAGE_FLOOR = 80;
const COVERAGE_FOLDER = "coverage";
const ENGINE = "out/engine.wasm";

interface Step {
  readonly name: string;
  readonly check: () => Promise<boolean>;
}

const STEPS: readonly Step[] = [
  { name: "format", check: () => deno("fmt", "--check", "--quiet") },
  { name: "lint", check: () => deno("lint", "--quiet") },
  { name: "build", check: () => deno("run", "-A", "build/main.ts") },
  { name: "reproducible engine", check: isEngineReproducible },
  { name: "types", check: () => deno("check", "--quiet", ".") },
  {
    name: "tests",
    check: async () => {
      await Deno.remove(COVERAGE_FOLDER, { recursive: true }).catch(() => undefined);
      return await deno("run", "-A", "build/test.ts", `--coverage=${COVERAGE_FOLDER}`);
    },
  },
  {
    name: `coverage of ${COVERAGE_FLOOR} % of lines`,
    check: async () => {
      await dropCutCoverage();
      return await deno(
        "coverage",
        `--threshold=${COVERAGE_FLOOR}`,
        "--exclude=/(tests|build|out)/|_test|_bench",
        COVERAGE_FOLDER,
      );
    },
  },
];

async function deno(...args: string[]): Promise<boolean> {
  return await run([Deno.execPath(), ...args]) === 0;
}

/** A Worker that a test ends while its figures are written leaves an empty file: it counts nothing. */
async function dropCutCoverage(): Promise<void> {
  for await (const { name } of Deno.readDir(COVERAGE_FOLDER)) {
    const path = `${COVERAGE_FOLDER}/${name}`;
    if ((await Deno.stat(path)).size === 0) await Deno.remove(path);
  }
}

async function isEngineReproducible(): Promise<boolean> {
  const before = await Deno.readFile(ENGINE);
  await Deno.remove(ENGINE);
  await buildWasm();
  const after = await Deno.readFile(ENGINE);
  return before.length === after.length && before.every((byte, i) => byte === after[i]);
}

async function main(): Promise<number> {
  for (const { name, check } of STEPS) {
    if (!await check()) {
      console.error(`not ok: ${name}`);
      return 1;
    }
    console.error(`ok: ${name}`);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
