import type { Policy } from "../../agent/sensors/policy.ts";
import { compile, inFolder } from "../support/probe.ts";
import { programTimes } from "./overhead/kernel_time.ts";
import { cpuUsOf, type Load, runLoad, underSensor } from "./overhead/load.ts";
import {
  connectionPolicy,
  costlyPolicy,
  listedPolicy,
  shippedPolicy,
} from "./overhead/policies.ts";
import { ratioOf } from "./_ratio.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

/** Pairs of each workload, with and without the sensor, in turn. */
const PAIRS = Number(Deno.env.get("IMMUNE_BENCH_PAIRS") ?? 25);
/** No round of pairs begins later than this, in milliseconds: a slow host measures fewer. */
const ROUNDS_MS_MAX = 15 * 60_000;
/** Runs under the kernel's statistics; the least disturbed one of each program counts. */
const TIMED_RUNS = 5;

const CONNECT: Load = { name: "connect", times: 3000 };
const WORKLOADS: readonly Load[] = [
  { name: "open_unwatched", times: 40_000 },
  { name: "open_watched", times: 2000 },
  { name: "spawn", times: 200 },
  { name: "bash", times: 20 },
  CONNECT,
];
/** Workloads whose cost the wide stream changes. */
const WIDE: ReadonlySet<string> = new Set(["open_unwatched", "open_watched"]);
const SAME: Load = { name: "spawn", times: 200 };

/** One comparison: what is run, and under what; without a policy both halves are bare. */
interface Series {
  readonly figure: string;
  readonly load: Load;
  readonly policy?: Policy;
  readonly ratios: number[];
}

/**
 * What the sensor costs others, with the shipped packs: CPU time of a workload with it, divided by
 * that of the same workload without, interleaved. Beside it the same without a sensor at all (`aa`),
 * whose interval must hold 1, the wide stream that the rules of rules/costly force, connections of
 * which all are sent or none (the kernel filters them), opens beside 10,000 listed paths, and what the programs take by the kernel's
 * own statistics.
 */
export async function run(): Promise<BenchResult> {
  const policy = await shippedPolicy();
  const [costly, listed] = [await costlyPolicy(), await listedPolicy()];
  const all: readonly Series[] = [
    ...WORKLOADS.map((load) => ({ figure: load.name, load, policy, ratios: [] })),
    ...WORKLOADS.filter(({ name }) => WIDE.has(name))
      .map((load) => ({ figure: `${load.name}_wide`, load, policy: costly, ratios: [] })),
    ...WORKLOADS.filter(({ name }) => name === "open_unwatched")
      .map((load) => ({ figure: `${load.name}_listed`, load, policy: listed, ratios: [] })),
    ...[false, true].map((filtered) => ({
      figure: filtered ? "connect_filtered" : "connect_sent",
      load: CONNECT,
      policy: connectionPolicy({ filtered }),
      ratios: [],
    })),
    { figure: "aa", load: SAME, ratios: [] },
  ];
  const figures: BenchFigure[] = [];
  await inFolder(async (folder) => {
    const binary = await compile("load", folder);
    const end = performance.now() + ROUNDS_MS_MAX;
    // Every series has its turn in each round: a drift of the host falls on all of them.
    for (let round = 0; round < PAIRS && (round === 0 || performance.now() < end); round++) {
      for (const series of all) series.ratios.push(await pair(binary, { series, round }));
    }
    for (const { figure, ratios } of all) figures.push(...ratioFigures(figure, ratios));
    for (const { figure, load, policy } of all) {
      if (policy !== undefined) {
        figures.push(...await timeFigures(binary, { figure, load, policy }));
      }
    }
  });
  return {
    workload: `${all[0]?.ratios.length} interleaved pairs of CPU time, medians of ratios with ` +
      `95 % intervals; time of each program of the sensor by the kernel's statistics`,
    seed: 0,
    checksum: `${policy.watches.length} watches, ${policy.kinds.length} kinds`,
    figures,
  };
}

/** The ratio of one pair; which half comes first changes. */
async function pair(
  binary: string,
  { series: { load, policy }, round }: { readonly series: Series; readonly round: number },
): Promise<number> {
  const bare = (): Promise<number> => cpuUsOf(binary, load);
  const seen = policy === undefined ? bare : () => underSensor(policy, bare);
  if (round % 2 === 0) {
    const before = await bare();
    return await seen() / before;
  }
  const first = await seen();
  return first / await bare();
}

function ratioFigures(figure: string, ratios: readonly number[]): BenchFigure[] {
  const { median, low, high } = ratioOf(ratios);
  return [
    { figure: `overhead_${figure}_ratio`, value: median, unit: "" },
    { figure: `overhead_${figure}_ratio_low`, value: low, unit: "" },
    { figure: `overhead_${figure}_ratio_high`, value: high, unit: "" },
  ];
}

/** Nanoseconds in the sensor's programs: for one deed of a workload, and for one run of each. */
async function timeFigures(
  binary: string,
  { figure, load, policy }: Omit<Series, "ratios"> & { readonly policy: Policy },
): Promise<BenchFigure[]> {
  const least = new Map<string, { runNs: number; perDeed: number }>();
  await underSensor(policy, async (sensor) => {
    for (let i = 0; i < TIMED_RUNS; i++) {
      for (const time of await programTimes(sensor, () => runLoad(binary, load))) {
        const perDeed = time.runs / load.times;
        const before = least.get(time.name);
        if (before !== undefined && before.runNs <= time.runNs) continue;
        least.set(time.name, { runNs: time.runNs, perDeed });
      }
    }
  });
  // A program that runs less often than every tenth deed does so for somebody else.
  const own = [...least].filter(([, { perDeed }]) => perDeed >= 0.1);
  const sum = own.reduce((total, [, { runNs, perDeed }]) => total + runNs * perDeed, 0);
  return [
    { figure: `overhead_${figure}_run_time_ns`, value: sum, unit: "ns" },
    ...own.map(([name, { runNs }]): BenchFigure => ({
      figure: `overhead_${figure}_${name}_run_time_ns`,
      value: runNs,
      unit: "ns",
    })),
  ];
}
