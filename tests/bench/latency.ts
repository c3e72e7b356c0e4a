// Time from the start of a command to its alert on standard output of `immune watch --json`: the
// command's fork and exec, kernel, ring, poll, scan, journal and two pipes are all in it.

import { immune } from "../support/immune.ts";
import { Lines } from "../support/lines.ts";
import type { BenchResult } from "./result.ts";

const COMMANDS = 300;
/** Pause between two commands, in milliseconds: an idle host, where a wake-up counts. */
const PAUSE_MS = 20;

/** Runs the benchmark; needs root. */
export async function run(): Promise<BenchResult> {
  const state = await Deno.makeTempDir();
  const child = immune(["watch", "--json", "--state", state]).spawn();
  const messages = new Lines(child.stderr);
  const alerts = new Lines(child.stdout);
  const times: number[] = [];
  try {
    await messages.find((line) => line.startsWith("Watching"));
    for (let i = 0; i < COMMANDS; i++) {
      const started = performance.now();
      const command = new Deno.Command("bash", {
        args: ["-c", `: /dev/tcp/127.0.0.1/${10_000 + i}`],
      })
        .spawn();
      await alerts.find((line) => line.includes(`/dev/tcp/127.0.0.1/${10_000 + i}`));
      times.push(performance.now() - started);
      await command.status;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } finally {
    child.kill("SIGINT");
    await Promise.all([alerts.drain(), messages.drain(), child.status]);
    await Deno.remove(state, { recursive: true });
  }
  times.sort((a, b) => a - b);
  const quantile = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? NaN;
  return {
    workload: `${COMMANDS} commands, one every ${PAUSE_MS} ms, on an idle host, shipped rules`,
    seed: 0,
    checksum: `${times.length} alerts`,
    figures: [
      { figure: "exec_to_alert_p50_ms", value: quantile(0.5), unit: "ms" },
      { figure: "exec_to_alert_p99_ms", value: quantile(0.99), unit: "ms" },
    ],
  };
}
