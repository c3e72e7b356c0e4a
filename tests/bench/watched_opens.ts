import { compile, inFolder, Probe } from "../support/probe.ts";
import { median } from "./_ratio.ts";
import type { BenchResult } from "./result.ts";

/** Opens a run, and runs of each case; bare runs lie between them. */
const OPENS = 1000;
const RUNS = 15;

/** What is opened, and whether a sensor watches meanwhile. */
const CASES = [
  ["open_close_bare_us", "secret", false],
  ["open_close_watched_us", "secret", true],
  ["open_close_neighbour_us", "public", true],
  ["open_close_elsewhere_us", "other/file", true],
] as const;

/** Measures what a watch costs who opens the file, its neighbour, or another one. */
export async function run(): Promise<BenchResult> {
  const medians = new Map<string, number>();
  let reported = 0;
  await inFolder(async (folder) => {
    const race = await compile("race", folder);
    Deno.mkdirSync(`${folder}/other`);
    for (const [, name] of CASES) Deno.writeTextFileSync(`${folder}/${name}`, "x");
    const runs = new Map<string, number[]>();
    for (let i = 0; i < RUNS; i++) {
      for (const [figure, name, watched] of CASES) {
        using probe = watched ? watching(`${folder}/secret`) : undefined;
        const opens = new Deno.Command(race, {
          args: ["time", `${folder}/${name}`, String(OPENS), "2"],
        })
          .output();
        const ns = await readWhile(opens, probe);
        reported += probe?.opens().length ?? 0;
        runs.set(figure, [...runs.get(figure) ?? [], ns / OPENS]);
      }
    }
    for (const [figure, values] of runs) medians.set(figure, median(values));
  });
  return {
    workload: `${RUNS} runs of ${OPENS} opens and closes by another process, in turn; medians`,
    seed: 0,
    checksum: `${reported} opens reported`,
    figures: [...medians].map(([figure, ns]) => ({ figure, value: ns / 1000, unit: "us" })),
  };
}

function watching(path: string): Probe {
  return new Probe({ kinds: ["open"], watches: [{ type: "file", path }] });
}

/** Reads records as an agent would until the program ends; nanoseconds that it printed. */
async function readWhile(
  output: Promise<Deno.CommandOutput>,
  probe: Probe | undefined,
): Promise<number> {
  let ended = false;
  const done = output.finally(() => ended = true);
  while (probe !== undefined && !ended) {
    probe.read(5);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const { stdout } = await done;
  while (probe !== undefined && probe.read(0) > 0);
  // The first run warms up, and makes the neighbour quiet.
  return Number(new TextDecoder().decode(stdout).trim().split("\n").at(-1));
}
