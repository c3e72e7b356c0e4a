// deno task bench [NAME...] [--json]: runs the benchmarks of tests/bench and prints their figures.

import type { BenchResult } from "../tests/bench/result.ts";

const FOLDER = new URL("../tests/bench/", import.meta.url);
const NOT_A_BENCH = new Set(["result.ts", "workload.ts"]);

interface Bench {
  readonly run: () => Promise<BenchResult>;
}

function names(): string[] {
  return [...Deno.readDirSync(FOLDER)]
    .map((entry) => entry.name)
    .filter((name) => name.endsWith(".ts") && !name.startsWith("_") && !NOT_A_BENCH.has(name))
    .map((name) => name.slice(0, -".ts".length))
    .sort();
}

function print(bench: string, result: BenchResult, json: boolean): void {
  if (json) {
    for (const { figure, value, unit, peer } of result.figures) {
      console.log(JSON.stringify({ bench, figure, value, unit, ...(peer ? { peer } : {}) }));
    }
    console.error(`${bench}: ${result.workload}; seed ${result.seed}; ${result.checksum}`);
    return;
  }
  console.log(`${bench}: ${result.workload}`);
  console.log(`  seed ${result.seed}, checksum ${result.checksum}`);
  for (const { figure, value, unit, peer } of result.figures) {
    const shown = value.toLocaleString("en", { maximumSignificantDigits: 4 });
    console.log(`  ${figure.padEnd(36)} ${shown.padStart(14)} ${unit}${peer ? ` (${peer})` : ""}`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const all = names();
  const flag = args.find((arg) => arg.startsWith("-") && arg !== "--json");
  const wanted = args.filter((arg) => !arg.startsWith("-"));
  const unknown = flag ?? wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    console.error(`Cannot run bench "${unknown}": there are ${all.join(", ")} and --json`);
    return 2;
  }
  for (const name of wanted.length > 0 ? wanted : all) {
    const bench: Bench = await import(new URL(`${name}.ts`, FOLDER).href);
    print(name, await bench.run(), args.includes("--json"));
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
