// Time from the start of a command to its alert in the hive's store, as the API gives it: exec,
// ring, scan, journal on the disk, delivery over mutual TLS, store synced, and the polling itself.

import { runVerb, startUp } from "../support/up.ts";
import type { BenchResult } from "./result.ts";

const COMMANDS = 60;
/** Pause between two questions to the API, in milliseconds. */
const POLL_MS = 5;
/** Longest wait for one alert, in milliseconds. */
const WAIT_MS = 10_000;

/** Runs the benchmark; needs root. */
export async function run(): Promise<BenchResult> {
  const up = await startUp();
  const times: number[] = [];
  try {
    const address = up.flags[up.flags.indexOf("--console") + 1];
    const token = (await Deno.readTextFile(`${up.state}/operator.token`)).trim();
    const ask = async (): Promise<string> => {
      const response = await fetch(`http://${address}/api/v1/alerts?last=1h&limit=3`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return await response.text();
    };
    for (let i = 0; i < COMMANDS; i++) {
      const mark = `/dev/tcp/127.0.0.1/${10_000 + i}`;
      const started = performance.now();
      const command = new Deno.Command("bash", { args: ["-c", `: ${mark}`] }).spawn();
      while (!(await ask()).includes(mark)) {
        if (performance.now() - started > WAIT_MS) throw new Error(`No alert with "${mark}"`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      times.push(performance.now() - started);
      await command.status;
    }
  } finally {
    await up.stop();
    await runVerb("uninstall", "--purge", ...up.flags);
  }
  times.sort((a, b) => a - b);
  const quantile = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? NaN;
  return {
    workload: `${COMMANDS} commands, one after the other, shipped rules, asked every ${POLL_MS} ms`,
    seed: 0,
    checksum: `${times.length} alerts`,
    figures: [
      { figure: "command_to_store_p50_ms", value: quantile(0.5), unit: "ms" },
      { figure: "command_to_store_p99_ms", value: quantile(0.99), unit: "ms" },
    ],
  };
}
