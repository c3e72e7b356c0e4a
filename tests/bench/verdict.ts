// Time from a refused connect to its verdict in the agent (read from the ring, its file and process
// known, alert made), beside 20,000 opens a second in wide-stream mode, with the shipped rules; and
// what a loaded policy costs calls that it refuses nothing of.

import {
  encodeEnforcement,
  Enforcer,
  parseEnforcement,
  resolveFiles,
} from "../../agent/enforce/mod.ts";
import { Pipeline } from "../../agent/pipeline/pipeline.ts";
import { RulesInForce } from "../../agent/pipeline/rules_in_force.ts";
import { bootTimeNs, KernelSensor } from "../../agent/sensors/mod.ts";
import { OPTIONS } from "../../common/config/mod.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { compile, inFolder } from "../support/probe.ts";
import type { BenchResult } from "./result.ts";

const EVENTS_PER_S = 20_000;
const SECONDS = 12;
const TRIES = 600;
/** Pause between two connects, in milliseconds. */
const PAUSE_MS = 10;
const ADDRESS = "127.254.7.7";
const RULES = ["../../rules/linux", "../../rules/ai", "../../rules/roles"];
/** Connects that nothing is refused of, for the cost of a policy. */
const CONNECTS = 20_000;
const ROUNDS = 7;

/** Runs the benchmark; needs root. */
export async function run(): Promise<BenchResult> {
  const times: number[] = [];
  let cost = { without: 0, with: 0 };
  await inFolder(async (folder) => {
    const [flood, load] = [await compile("flood", folder), await compile("load", folder)];
    using refusing = await start(times);
    const loads = new Deno.Command(flood, {
      args: ["/etc/hostname", EVENTS_PER_S, SECONDS, 1, 0].map(String),
      stdout: "null",
    }).spawn();
    const asking = new Deno.Command(Deno.execPath(), {
      args: ["eval", ASK],
      stdout: "null",
      stderr: "null",
    }).spawn();
    let over = false;
    Promise.all([asking.status, loads.status]).then(() => over = true);
    while (!over) {
      refusing.pipeline.step(20);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    while (refusing.pipeline.step(0) > 0);
    cost = await costOf(load, refusing.enforcer);
  });
  times.sort((a, b) => a - b);
  const quantile = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? NaN;
  return {
    workload: `${TRIES} refused connects beside ${EVENTS_PER_S} opens/s, shipped rules`,
    seed: 0,
    checksum: `${times.length} verdicts`,
    figures: [
      { figure: "verdict_p50_ms", value: quantile(0.5), unit: "ms" },
      { figure: "verdict_p99_ms", value: quantile(0.99), unit: "ms" },
      { figure: "refusing_connect_ratio", value: cost.with / cost.without, unit: "" },
    ],
  };
}

const ASK = `for (let i = 0; i < ${TRIES}; i++) {
  await Deno.connect({ hostname: "${ADDRESS}", port: 9 }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, ${PAUSE_MS}));
}`;

interface Refusing extends Disposable {
  readonly pipeline: Pipeline;
  readonly enforcer: Enforcer;
}

async function start(times: number[]): Promise<Refusing> {
  using held = new DisposableStack();
  const folders = RULES.map((path) => new URL(path, import.meta.url).pathname);
  const sources = await Promise.all(folders.map((path) => readRuleSources(path)));
  const rules = compileRules(sources.flat());
  const engine = await Engine.create();
  const sensor = held.use(KernelSensor.open());
  sensor.policy({
    kinds: ["exec", "fork", "exit", "open", "connect", "verdict"],
    wideOpen: true,
    identity: false,
    wakeIntervalUs: OPTIONS.sensor.wake_interval_us.initial,
    watches: [],
  });
  const policy = parseEnforcement(
    `actions_per_minute = 100000\n[[entry]]\nname = "bench"\naction = "connect"\n` +
      `mode = "block"\naddresses = ["${ADDRESS}"]\nexcept_roles = ["mcp"]\n`,
    { file: "bench", homes: [] },
  );
  const enforcer = held.use(new Enforcer(sensor, { tiers: ["cgroup"] }));
  enforcer.policy(encodeEnforcement(policy, { files: resolveFiles(policy), wallOffsetNs: 0n }));
  const pipeline = new Pipeline({
    source: sensor,
    engine,
    rules: new RulesInForce(engine, rules),
    enforcement: () => policy,
    epoch: 1,
    context: () => ({
      hostId: "0".repeat(64),
      hostName: "bench",
      bootId: "0".repeat(32),
      wallOffsetNs: 0n,
    }),
    sink: {
      append: () => {},
      appendHealth: () => {},
      appendFolded: () => {},
      appendAlerts: (_, records) => {
        const now = bootTimeNs();
        for (const { kind, timeNs } of records) {
          if (kind === "verdict") times.push(Number(now - timeNs) / 1e6);
        }
      },
    },
    onAlert: () => {},
  });
  const owned = held.move();
  return { pipeline, enforcer, [Symbol.dispose]: () => owned.dispose() };
}

/** CPU time of connects that go on, with the policy paused and in force, in turns. */
async function costOf(
  load: string,
  enforcer: Enforcer,
): Promise<{ readonly without: number; readonly with: number }> {
  const sums = { without: 0, with: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of ["without", "with"] as const) {
      enforcer.pause(name === "without");
      const { stdout } = await new Deno.Command(load, {
        args: ["connect", String(CONNECTS)],
        stdout: "piped",
      }).output();
      sums[name] += Number(new TextDecoder().decode(stdout));
    }
  }
  return sums;
}
