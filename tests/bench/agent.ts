// What the agent itself takes: memory after a long time at 1,000 events/s, CPU at 5,000 events/s, on an
// idle host, and for one deed of others at full rate. An agent runs for months and V8 compiles what is
// hot within its first seconds: so a deed is measured in rounds, the first of which has a figure of its
// own. The long time is 10 minutes; IMMUNE_BENCH_AGENT=short makes it 3, which the workload line then
// says.

import { compile, inFolder } from "../support/probe.ts";
import { freeAddresses } from "../support/ports.ts";
import { type RunningUp, runVerb, startUp } from "../support/up.ts";
import { type Load, runLoad } from "./overhead/load.ts";
import { median } from "./_ratio.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

/** How long memory may grow, in seconds. */
const LONG_S = Deno.env.get("IMMUNE_BENCH_AGENT") === "short" ? 180 : 600;
/** How long CPU time is taken over, in seconds. */
const CPU_S = 30;
/** After a start V8 still gives back what only that needed, in milliseconds. */
const SETTLE_MS = 10_000;
/** A process is three events: fork, exec, exit. */
const PROCESSES_PER_S = 334;
const OPENS_PER_S = 5000;
/** Deeds at full rate, and how long the agent may go on with them afterwards, in seconds. */
const SPAWN: Load = { name: "spawn", times: 5000 };
const CONNECT: Load = { name: "connect", times: 50_000 };
const OPEN: Load = { name: "open_unwatched", times: 500_000 };
const AFTERWARDS_S = 2;
/** Rounds of a deed: the first as it comes, those in which V8 compiles, and those that count. */
const ROUNDS = 8;
const COMPILING_ROUNDS = 3;
const US_PER_S = 1_000_000;
const NS_PER_US = 1000;
/** Of /proc/PID/stat; the same on all of Linux's architectures (USER_HZ). */
const TICKS_PER_S = 100;
const BYTES_PER_KIB = 1024;
const BYTES_PER_MB = 1_000_000;

/** Runs the benchmark; needs root. */
export async function run(): Promise<BenchResult> {
  const figures: BenchFigure[] = [];
  await inFolder(async (folder) => {
    const binary = await compile("flood", folder);
    const deeds = await compile("load", folder);
    await withAgent([], async (pid) => {
      const idle = await cpuShare(pid, () => pause(CPU_S));
      figures.push(percent("agent_cpu_percent_idle", idle));
      for (const [figure, load] of [["spawn", SPAWN], ["connect", CONNECT]] as const) {
        figures.push(...await perDeed(pid, { figure, binary: deeds, load, idle }));
      }
      const load = { opens: 1, processes: PROCESSES_PER_S, seconds: LONG_S };
      await runFlood(binary, load);
      figures.push({ figure: "agent_rss_mb", value: memoryMb(pid), unit: "MB" });
    });
    await withAgent(["--sensor-open", "wide"], async (pid) => {
      const load = { opens: OPENS_PER_S, processes: 0, seconds: CPU_S };
      const share = await cpuShare(pid, () => runFlood(binary, load));
      figures.push(percent("agent_cpu_percent_5000", share));
      const idle = await cpuShare(pid, () => pause(AFTERWARDS_S));
      figures.push(...await perDeed(pid, { figure: "open", binary: deeds, load: OPEN, idle }));
    });
  });
  return {
    workload: `immune up with the shipped rules; memory of its agent after ${LONG_S} s of ` +
      `${PROCESSES_PER_S} processes/s (1,000 events/s), CPU of ${OPENS_PER_S} opens/s in ` +
      `wide-stream mode and of an idle host over ${CPU_S} s, in % of one processor; CPU time of it ` +
      `for each of ${SPAWN.times} spawns, ${CONNECT.times} connections and, in wide-stream mode, ` +
      `${OPEN.times} opens at full rate, less what it takes idle: of the first round after its ` +
      `start, and the median of rounds ${COMPILING_ROUNDS + 1} to ${ROUNDS}`,
    seed: 0,
    checksum: `${figures.length} figures`,
    figures,
  };
}

function percent(figure: string, share: number): BenchFigure {
  return { figure, value: share * 100, unit: "%" };
}

/** What a deed takes: of the first round, and the median of those after V8 has compiled. */
async function perDeed(
  pid: number,
  deeds: Deeds & { readonly figure: string },
): Promise<BenchFigure[]> {
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await cpuUsPerDeed(pid, deeds));
  const figure = `agent_cpu_us_${deeds.figure}`;
  return [
    { figure: `${figure}_first`, value: rounds[0] ?? Number.NaN, unit: "us" },
    { figure, value: median(rounds.slice(COMPILING_ROUNDS)), unit: "us" },
  ];
}

async function withAgent(
  flags: readonly string[],
  act: (pid: number) => Promise<void>,
): Promise<void> {
  const state = await Deno.makeTempDir();
  const [console, agents, enroll] = freeAddresses();
  const own = ["--state", state, "--console", console, "--agents", agents, "--enroll", enroll];
  const up = await startUp({ state, flags: [...own, ...flags] });
  try {
    await pause(SETTLE_MS / 1000);
    await act(agentOf(up));
  } finally {
    await up.stop();
    await runVerb("uninstall", "--purge", ...own);
  }
}

/** The process of its agent. */
function agentOf({ state }: RunningUp): number {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    let found: string[] = [];
    try {
      found = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
    } catch {
      continue;
    }
    const verb = found[found.findIndex((each) => each.endsWith(".js")) + 1];
    if (found.includes(state) && verb === "agent") return Number(name);
  }
  throw new Error("No agent runs");
}

/** CPU time that a process took while something ran, as a share of one processor. */
async function cpuShare(pid: number, act: () => Promise<void>): Promise<number> {
  const [before, started] = [ticksOf(pid), performance.now()];
  await act();
  const seconds = (performance.now() - started) / 1000;
  return (ticksOf(pid) - before) / TICKS_PER_S / seconds;
}

/** What a workload is run with, and the share of a processor that the agent takes without it. */
interface Deeds {
  readonly binary: string;
  readonly load: Load;
  readonly idle: number;
}

/** CPU time of the agent for one deed of others, in microseconds, what came of it later included. */
async function cpuUsPerDeed(pid: number, { binary, load, idle }: Deeds): Promise<number> {
  const [before, started] = [threadsUs(pid), performance.now()];
  await runLoad(binary, load);
  await pause(AFTERWARDS_S);
  const idleUs = idle * (performance.now() - started) / 1000 * US_PER_S;
  return Math.max(0, threadsUs(pid) - before - idleUs) / load.times;
}

/** CPU time of the threads that a process has, in microseconds: finer than its ticks. */
function threadsUs(pid: number): number {
  let ns = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
    } catch {
      // One that just ended.
    }
  }
  return ns / NS_PER_US;
}

/** User and system time of a process and its threads; its name may hold anything but a newline. */
function ticksOf(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function memoryMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * BYTES_PER_KIB / BYTES_PER_MB;
}

async function runFlood(
  binary: string,
  load: { readonly opens: number; readonly processes: number; readonly seconds: number },
): Promise<void> {
  const args = ["/bin/true", load.opens, load.seconds, 1, load.processes].map(String);
  const { success } = await new Deno.Command(binary, { args, stdout: "null" }).output();
  if (!success) throw new Error("The load failed");
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
