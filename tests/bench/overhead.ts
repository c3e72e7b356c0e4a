import { KernelSensor } from "../../agent/sensors/kernel.ts";
import type { Policy } from "../../agent/sensors/policy.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { ROOT } from "../support/immune.ts";
import { compile, inFolder } from "../support/probe.ts";
import { ratioOf } from "./_ratio.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

/** Pairs of each workload, with and without the sensor, in turn. */
const PAIRS = Number(Deno.env.get("IMMUNE_BENCH_PAIRS") ?? 25);
const PACKS = ["ai", "linux", "correlations", "roles"];
/** How often the records are taken, in milliseconds. */
const POLL_MS = 5;

/** Workloads of tests/support/load.c and how often each does its deed a run. */
const WORKLOADS = [
  ["open_unwatched", 40_000],
  ["open_watched", 2000],
  ["spawn", 200],
  ["bash", 20],
  ["connect", 3000],
] as const;

/**
 * What the sensor costs others, with the shipped packs: CPU time of a workload with it, divided by
 * that of the same workload without, interleaved. Beside it the same without a sensor at all (`aa`),
 * whose interval must hold 1.
 */
export async function run(): Promise<BenchResult> {
  const policy = await policyOfPacks();
  const figures: BenchFigure[] = [];
  await inFolder(async (folder) => {
    const load = await compile("load", folder);
    for (const [name, times] of WORKLOADS) {
      const pairs: (readonly [number, number])[] = [];
      for (let i = 0; i < PAIRS; i++) {
        // Which one comes first changes, so that a drift of the host falls on both.
        const bare = () => cpuOf(load, name, { times });
        const seen = () => watched(policy, () => cpuOf(load, name, { times }));
        pairs.push(i % 2 === 0 ? [await bare(), await seen()] : (await both(seen, bare)));
      }
      figures.push(...ratioFigures(`overhead_${name}`, pairs));
    }
    const same: (readonly [number, number])[] = [];
    for (let i = 0; i < PAIRS; i++) {
      const bare = () => cpuOf(load, "spawn", { times: 200 });
      same.push([await bare(), await bare()]);
    }
    figures.push(...ratioFigures("overhead_aa", same));
  });
  return {
    workload: `${PAIRS} interleaved pairs of CPU time, medians of ratios with 95 % intervals`,
    seed: 0,
    checksum: `${policy.watches.length} watches, ${policy.kinds.length} kinds`,
    figures,
  };
}

async function both(
  second: () => Promise<number>,
  first: () => Promise<number>,
): Promise<readonly [number, number]> {
  const seen = await second();
  return [await first(), seen];
}

function ratioFigures(name: string, pairs: readonly (readonly [number, number])[]): BenchFigure[] {
  const { median, low, high } = ratioOf(pairs.map(([bare, seen]) => seen / bare));
  return [
    { figure: `${name}_ratio`, value: median, unit: "" },
    { figure: `${name}_ratio_low`, value: low, unit: "" },
    { figure: `${name}_ratio_high`, value: high, unit: "" },
  ];
}

/** What the shipped packs want from a kernel, without those in rules/costly. */
async function policyOfPacks(): Promise<Policy> {
  const sources = await Promise.all(PACKS.map((pack) => readRuleSources(`${ROOT}rules/${pack}`)));
  const { interest } = compileRules(sources.flat());
  return {
    kinds: interest.kinds,
    wideOpen: false,
    identity: interest.identity,
    wakeIntervalUs: 2000,
    watches: interest.watches,
    publicPeers: interest.publicPeers,
    roles: interest.roles,
  };
}

/** CPU time of a workload and its children, in milliseconds; it prints it. */
async function cpuOf(
  load: string,
  name: string,
  { times }: { readonly times: number },
): Promise<number> {
  const { success, stdout } = await new Deno.Command(load, { args: [name, String(times)] })
    .output();
  if (!success) throw new Error(`Workload "${name}" failed`);
  return Number(new TextDecoder().decode(stdout)) / 1000;
}

/** Runs something under a sensor whose records are read and scanned as an agent does. */
async function watched(policy: Policy, act: () => Promise<number>): Promise<number> {
  const engine = await Engine.create();
  using sensor = KernelSensor.open();
  sensor.policy(policy);
  let ended = false;
  const done = act().finally(() => ended = true);
  while (!ended) {
    engine.scan(sensor.poll(engine.batch, POLL_MS));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return await done;
}
