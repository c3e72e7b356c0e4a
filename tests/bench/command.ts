import { makeStopKey, withStopKey } from "../../common/keys/mod.ts";
import { directiveBytes, EVERY_HOST, sealDirective } from "../../common/wire/mod.ts";
import { FLEET, type TestAgent, TestHive } from "../support/intake.ts";
import { median } from "./_ratio.ts";
import type { BenchResult } from "./result.ts";
import type { AgentsCommand, AgentsReport } from "./command/agents.ts";

const AGENTS = 1000;
/** Threads that the agents share: with the hive's own they are more than the processors here. */
const WORKERS = 2;
const RECONSTRUCTIONS = 200;
const STOPS = 5;
const VALID_MS = 60_000;

/**
 * Measures the kill switch: how long three shares take to become a signature, and how long a stop
 * takes from there until every one of 1,000 connected agents has checked it and its answer is in the
 * hive's store. Each agent is a TLS client with a key and sessions of its own, on this machine.
 *
 * @returns Figures.
 */
export async function run(): Promise<BenchResult> {
  const { facts, shares } = await makeStopKey();
  const joins: number[] = [];
  for (let i = 0; i < RECONSTRUCTIONS; i++) {
    const start = performance.now();
    const three = [shares[i % 5], shares[(i + 1) % 5], shares[(i + 3) % 5]];
    await withStopKey(facts, {
      shares: three.map((share) => share ?? ""),
      use: (key) => key.sign("stop", new Uint8Array([i])),
    });
    joins.push(performance.now() - start);
  }
  const stops = await measureStops(async (number) => {
    const bytes = directiveBytes({
      kind: "stop",
      body: { action: "stop" },
      fleet: FLEET,
      target: EVERY_HOST,
      number,
      issuedMs: Date.now(),
      expiresMs: Date.now() + VALID_MS,
    });
    return await withStopKey(facts, {
      shares: shares.slice(0, 3),
      use: async (key) => sealDirective(bytes, await key.sign("stop", bytes)),
    });
  }, facts);
  return {
    workload:
      `${STOPS} stops to ${AGENTS} agents over mutual TLS 1.3, each with a key of its own; ` +
      `${RECONSTRUCTIONS} keys from 3 of 5 shares`,
    seed: 0,
    checksum: String(AGENTS * STOPS),
    figures: [
      { figure: "share_reconstruction_ms", value: median(joins), unit: "ms" },
      { figure: "share_reconstruction_worst_ms", value: Math.max(...joins), unit: "ms" },
      { figure: "stop_1000_agents_s", value: median(stops), unit: "s" },
      { figure: "stop_1000_agents_worst_s", value: Math.max(...stops), unit: "s" },
    ],
  };
}

/** Seconds from the signed stop to the last answer in the store, for each stop. */
async function measureStops(
  sign: (number: number) => Promise<Uint8Array<ArrayBuffer>>,
  facts: Awaited<ReturnType<typeof makeStopKey>>["facts"],
): Promise<readonly number[]> {
  await using hive = await TestHive.start();
  await hive.commands.setStopKey(facts, { signature: null, by: "bench" });
  const agents: TestAgent[] = [];
  for (let i = 0; i < AGENTS; i++) agents.push(await hive.enrol());
  const { directiveKey } = await hive.commands.trust();
  const fleets = await Promise.all(
    Array.from({ length: WORKERS }, (_, i) =>
      Fleet.start({
        type: "connect",
        port: hive.intake.port,
        hivePem: hive.server.certificatePem,
        fleet: FLEET,
        directiveKey,
        stopKey: facts.publicKey,
        agents: agents.filter((_, at) => at % WORKERS === i),
      })),
  );
  const seconds: number[] = [];
  try {
    for (let number = 1; number <= STOPS; number++) {
      const bytes = await sign(number);
      const answered = Promise.all(fleets.map((fleet) => fleet.answered()));
      const start = performance.now();
      await hive.commands.stop(bytes, "bench");
      await answered;
      seconds.push((performance.now() - start) / 1000);
      const outcomes = await hive.store.directiveOutcomes("stop", number);
      const done = outcomes.filter(({ outcome }) => outcome === "done").length;
      if (done !== AGENTS) throw new Error(`${done} of ${AGENTS} agents are done`);
    }
  } finally {
    for (const fleet of fleets) fleet.end();
  }
  return seconds;
}

/** Agents in a Worker of their own. */
class Fleet {
  readonly #worker: Worker;
  #answered = Promise.withResolvers<void>();

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(command: AgentsCommand): Promise<Fleet> {
    const worker = new Worker(new URL("./command/agents.ts", import.meta.url), { type: "module" });
    const fleet = new Fleet(worker);
    const connected = Promise.withResolvers<void>();
    worker.onmessage = ({ data }: MessageEvent<AgentsReport>) => {
      if (data.type === "listening") worker.postMessage(command);
      else if (data.type === "connected") connected.resolve();
      else if (data.type === "answered") fleet.#answered.resolve();
      else {
        connected.reject(new Error(data.message));
        fleet.#answered.reject(new Error(data.message));
      }
    };
    await connected.promise;
    return fleet;
  }

  /** Settled when all of them have answered the next stop. */
  answered(): Promise<void> {
    this.#answered = Promise.withResolvers();
    return this.#answered.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}
