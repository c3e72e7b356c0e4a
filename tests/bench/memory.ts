// Resident memory of `immune watch` on an idle host, as the kernel counts it, once V8 has given back
// what only the start needed.

import { immune } from "../support/immune.ts";
import { Lines } from "../support/lines.ts";
import type { BenchResult } from "./result.ts";

/** When it is looked at, in milliseconds after the start. */
const LOOK_AFTER_MS = 20_000;
const KIB_PER_MIB = 1024;

/** Lines of /proc/PID/status, and the figure that each is. */
const FIGURES = [
  ["VmRSS", "rss_mib"],
  ["VmHWM", "rss_peak_mib"],
  ["RssAnon", "rss_anonymous_mib"],
  ["RssFile", "rss_file_mib"],
] as const;

/** Runs the benchmark; needs root. */
export async function run(): Promise<BenchResult> {
  const state = await Deno.makeTempDir();
  const child = immune(["watch", "--json", "--state", state]).spawn();
  const messages = new Lines(child.stderr);
  const alerts = new Lines(child.stdout);
  let status = "";
  try {
    await messages.find((line) => line.startsWith("Watching"));
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS));
    status = await Deno.readTextFile(`/proc/${child.pid}/status`);
  } finally {
    child.kill("SIGINT");
    await Promise.all([alerts.drain(), messages.drain(), child.status]);
    await Deno.remove(state, { recursive: true });
  }
  return {
    workload: `immune watch with the shipped rules, ${LOOK_AFTER_MS} ms after its start`,
    seed: 0,
    checksum: `${FIGURES.length} figures`,
    figures: FIGURES.map(([line, figure]) => ({
      figure,
      value: Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / KIB_PER_MIB,
      unit: "MiB",
    })),
  };
}
