// 1,000 reloads of 3,000 rules on several engines that scan without pause.

import { RELOAD_BATCH_RECORDS, reloadUnderLoad } from "../support/reload.ts";
import type { BenchResult } from "./result.ts";

const ENGINES = 2;
const RELOADS = 500;
const RULES = 3_000;

/** Runs the benchmark. */
export async function run(): Promise<BenchResult> {
  const reports = await reloadUnderLoad({ engines: ENGINES, reloads: RELOADS, rules: RULES });
  const pauses = reports.flatMap(({ pausesMs }) => pausesMs).sort((a, b) => a - b);
  const sum = (count: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + count(report), 0);
  const batches = sum((report) => report.batches);
  const at = (share: number): number => pauses[Math.floor((pauses.length - 1) * share)] ?? 0;
  const skipped = batches * RELOAD_BATCH_RECORDS - sum(({ records }) => records);
  return {
    workload: `${RELOADS} reloads of ${RULES} rules on each of ${ENGINES} engines that scan`,
    seed: 0,
    checksum: `${pauses.length} reloads, ${sum(({ torn }) => torn)} torn, ${skipped} skipped`,
    figures: [
      { figure: "reload_torn_batches", value: sum(({ torn }) => torn), unit: "batches" },
      { figure: "reload_records_skipped", value: skipped, unit: "records" },
      { figure: "reload_batches", value: batches, unit: "batches" },
      { figure: "reload_pause_p50_ms", value: at(0.5), unit: "ms" },
      { figure: "reload_pause_p99_ms", value: at(0.99), unit: "ms" },
      { figure: "reload_pause_longest_ms", value: at(1), unit: "ms" },
    ],
  };
}
