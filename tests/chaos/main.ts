// deno task test:chaos [--kills N] [--seed S] [--source generator|sensor] [--keep]
//
// A hive and an agent as processes of their own, on real TLS and real files; records flow, and at
// random moments one of the two, or both, are killed (SIGKILL) and started again. Then the journal
// is drained, and every record in the store is held against what the agent wrote:
//
//   made=N acked=N stored=N duplicate=0 lost=0
//
// With --source sensor (root, built sensor) the records are the kernel's; what lay in its rings at a
// kill is a gap in their sequences and not in made.
//
// Exit code 1 unless made = stored = acked and duplicate = lost = 0.
import { parseArgs } from "node:util";
import { pinnedEnvironment } from "../../common/link/pin.ts";
import { randomNumbers } from "../bench/_random.ts";
import { freePort } from "../support/ports.ts";
import { Child, type Line } from "./child.ts";
import { count } from "./count.ts";

/** Time between two kills, in milliseconds: this and up to as much again. */
const RUN_MS = 400;
/** Longest that one side stays down, in milliseconds. */
const DOWN_MS_MAX = 800;
/** Longest that draining may take, in milliseconds: several waits of the link's back-off. */
const DRAIN_MS_MAX = 180_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Chaos {
  readonly #folder: string;
  readonly #random: (below: number) => number;
  readonly #seed: number;
  readonly #script: string;
  readonly #ports: readonly [string, string];
  /** All that the agent's runs printed. */
  readonly lines: Line[] = [];
  #hive: Child | undefined;
  #agent: Child | undefined;

  constructor(
    folder: string,
    { seed, source }: { readonly seed: number; readonly source: "generator" | "sensor" },
  ) {
    this.#folder = folder;
    this.#seed = seed;
    this.#script = source === "sensor" ? "./sensor_agent.ts" : "./agent.ts";
    this.#random = randomNumbers(seed);
    this.#ports = [String(freePort()), String(freePort())];
  }

  get store(): string {
    return `${this.#folder}/hive/store.db`;
  }

  async begin(): Promise<void> {
    const token = await this.#startHive(["--token"]);
    const state = `${this.#folder}/state`;
    const enrolled = new Child("./agent.ts", {
      args: ["enroll", state],
      environment: this.#environment(),
      input: String(token),
    });
    if (await enrolled.line("enrolled") === undefined) throw new Error("Cannot enrol the agent");
    await this.#startAgent();
  }

  /** Lets records flow for a while, then kills one side or both and starts them again. */
  async strike(): Promise<void> {
    await sleep(RUN_MS + this.#random(RUN_MS));
    const victims = this.#random(5);
    const both = victims === 0;
    const hive = both || victims < 3;
    const agent = both || victims >= 3;
    await Promise.all([
      hive ? this.#hive?.kill() : undefined,
      agent ? this.#endAgent() : undefined,
    ]);
    await sleep(this.#random(DOWN_MS_MAX));
    if (hive) await this.#startHive();
    if (agent) await this.#startAgent();
  }

  /** Kills the agent a last time and starts it only to deliver the rest. */
  async drain(): Promise<void> {
    await this.#endAgent();
    await this.#startAgent(["--drain"]);
    const timer = setTimeout(() => this.#agent?.kill(), DRAIN_MS_MAX);
    await this.#endOfAgent();
    clearTimeout(timer);
  }

  async end(): Promise<void> {
    await Promise.all([this.#hive?.kill(), this.#agent?.kill()]);
  }

  async #startHive(flags: readonly string[] = []): Promise<unknown> {
    this.#hive = new Child("./hive.ts", {
      args: [`${this.#folder}/hive`, ...this.#ports, ...flags],
    });
    const ready = await this.#hive.line("ready");
    if (ready === undefined) throw new Error("The hive did not start");
    return ready["token"];
  }

  async #startAgent(flags: readonly string[] = []): Promise<void> {
    this.#agent = new Child(this.#script, {
      args: ["run", `${this.#folder}/state`, String(this.#seed), ...flags],
      environment: this.#environment(),
    });
    if (await this.#agent.line("flowing") === undefined) throw new Error("The agent did not start");
  }

  async #endAgent(): Promise<void> {
    await this.#agent?.kill();
    await this.#endOfAgent();
  }

  async #endOfAgent(): Promise<void> {
    await this.#agent?.ended;
    this.lines.push(...this.#agent?.lines ?? []);
  }

  #environment(): Record<string, string> {
    return pinnedEnvironment(Deno.env.toObject());
  }
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value > 0) return value;
  console.error(`Cannot use --${name} "${text}": it is no whole number from 1`);
  Deno.exit(2);
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
      source: { type: "string", default: "generator" },
      keep: { type: "boolean", default: false },
    },
  });
  const kills = wholeNumber(values.kills, "kills");
  const { source } = values;
  if (source !== "generator" && source !== "sensor") {
    console.error(`Cannot use --source "${source}": it is "generator" or "sensor"`);
    return 2;
  }
  const seed = wholeNumber(values.seed, "seed");
  const folder = await Deno.makeTempDir({ prefix: "immune-chaos-" });
  const chaos = new Chaos(folder, { seed, source });
  try {
    await chaos.begin();
    for (let i = 0; i < kills; i++) await chaos.strike();
    await chaos.drain();
    await chaos.end();
    const { made, acked, stored, duplicate, lost } = await count(chaos.store, chaos.lines);
    console.log(
      `made=${made} acked=${acked} stored=${stored} duplicate=${duplicate} lost=${lost}`,
    );
    const whole = made > 0 && made === stored && made === acked && duplicate + lost === 0;
    return whole ? 0 : 1;
  } finally {
    await chaos.end();
    if (values.keep) console.error(`kept: ${folder}`);
    else await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
