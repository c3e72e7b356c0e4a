// 30 seconds of file events in wide-stream mode, at a rate that nothing of may be lost and at one
// that is more than a host can do. Delivered is what was read from the ring, scanned and appended to
// the journal. IMMUNE_BENCH_FLOOD_S shortens it.

import { flood, type Flooded, lostOpens, unaccounted } from "../support/flood.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { compile, inFolder } from "../support/probe.ts";
import { freeAddresses } from "../support/ports.ts";
import { launched } from "../support/up.ts";
import type { BenchFigure, BenchResult } from "./result.ts";
import { median } from "./_ratio.ts";

const SECONDS = Number(Deno.env.get("IMMUNE_BENCH_FLOOD_S") ?? 30);
const CHILDREN_PER_S = 50;
const RATES = [
  { name: "flood_200k", rate: 200_000, threads: 1 },
  { name: "flood", rate: 500_000, threads: 2 },
] as const;
/** Pause between two questions for the status, in milliseconds. */
const STATUS_EVERY_MS = 1000;

/** An operator's shell and a service each have a session, among which the kernel shares its CPUs. */
const OWN_SESSION = ["setsid"];

/** Runs the benchmark; needs root. */
export async function run(): Promise<BenchResult> {
  const figures: BenchFigure[] = [];
  await inFolder(async (folder) => {
    const binary = await compile("flood", folder);
    const hive = await startHive(folder);
    try {
      for (const { name, rate, threads } of RATES) {
        const statusMs: number[] = [];
        const flooded = await flood({
          binary,
          rate,
          seconds: SECONDS,
          threads,
          children: CHILDREN_PER_S,
          meanwhile: (over) => askStatus(hive.flags, { over, statusMs }),
        });
        figures.push(...figuresOf(name, { flooded, statusMs }));
      }
    } finally {
      await hive.stop();
    }
  });
  return {
    workload: `${SECONDS} s of opens by one process in wide-stream mode beside ${CHILDREN_PER_S} ` +
      'processes a second, with the shipped rules and a journal; each second "dist/immune status" ' +
      "is started, its launcher and all, and asks a hive on the same CPUs, each in a session of its own",
    seed: 0,
    checksum: `${RATES.length} rates`,
    figures,
  };
}

function figuresOf(
  name: string,
  { flooded, statusMs }: { readonly flooded: Flooded; readonly statusMs: readonly number[] },
): BenchFigure[] {
  const { opens, delivered, seconds, children, lifecycle, tallies } = flooded;
  const least = Math.min(lifecycle.fork, lifecycle.exec, lifecycle.exit);
  return [
    { figure: `${name}_made_per_s`, value: opens / seconds, unit: "opens/s" },
    { figure: `${name}_delivered`, value: delivered / opens, unit: "" },
    {
      figure: `${name}_lost_counted`,
      value: lostOpens(tallies),
      unit: "opens",
    },
    { figure: `${name}_unaccounted`, value: unaccounted(flooded), unit: "opens" },
    { figure: `${name}_lifecycle_lost`, value: children - least, unit: "processes" },
    { figure: `${name}_status_ms`, value: median(statusMs), unit: "ms" },
    { figure: `${name}_status_worst_ms`, value: Math.max(...statusMs), unit: "ms" },
  ];
}

async function askStatus(
  flags: readonly string[],
  { over, statusMs }: { readonly over: AbortSignal; readonly statusMs: number[] },
): Promise<void> {
  while (!over.aborted) {
    const started = performance.now();
    const { success, stderr } = await (await launched(["status", "--json", ...flags], OWN_SESSION))
      .output();
    if (!success) throw new Error(`No status: ${new TextDecoder().decode(stderr)}`);
    statusMs.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, STATUS_EVERY_MS));
  }
}

interface RunningHive {
  readonly flags: readonly string[];
  stop(): Promise<void>;
}

/** A hive as a process of its own, which the verb asks. */
async function startHive(folder: string): Promise<RunningHive> {
  const [console, agents, enroll] = freeAddresses();
  const flags = [
    ...["--state", `${folder}/hive`, "--console", console],
    ...["--agents", agents, "--enroll", enroll],
  ];
  const child = (await launched(["hive", "--json", ...flags], OWN_SESSION)).spawn();
  const [output, errors] = [new Lines(child.stdout), new Lines(child.stderr)];
  await output.find((line) => line.startsWith("{"), { waitMs: START_WAIT_MS });
  const drained = Promise.all([output.drain(), errors.drain()]);
  return {
    flags,
    async stop(): Promise<void> {
      child.kill("SIGINT");
      await Promise.all([drained, child.status]);
    },
  };
}
