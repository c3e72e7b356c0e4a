import { createHash } from "node:crypto";
import { TestHive } from "../support/intake.ts";
import type { BenchResult } from "./result.ts";

const SEED = 31;
const WARM_UP = 20;
const HANDSHAKES = 200;

/**
 * Measures handshakes with the agents' port: TCP and mutual TLS 1.3 to their end, each on a new
 * connection, one behind the other. A client sends the same certificate each time and never resumes.
 *
 * @returns Figures.
 */
export async function run(): Promise<BenchResult> {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + HANDSHAKES; i++) {
    const start = performance.now();
    const connection = await hive.connect(agent);
    if (i >= WARM_UP) times.push(performance.now() - start);
    connection.close();
  }
  const { refused } = await hive.counters();
  const turnedAway = Object.values(refused).reduce((sum, count) => sum + count, 0);
  if (turnedAway > 0) throw new Error(`${turnedAway} handshakes were refused`);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return {
    workload: `${HANDSHAKES} handshakes over loopback, TCP and mutual TLS 1.3, no session resumed`,
    seed: SEED,
    checksum: createHash("sha256").update(`${times.length}`).digest("hex").slice(0, 8),
    figures: [
      { figure: "handshake_ms", value: at(0.5), unit: "ms" },
      { figure: "handshake_p99_ms", value: at(0.99), unit: "ms" },
    ],
  };
}
