import type { BenchResult } from "./result.ts";
import { measureWorkload } from "./workload/measure.ts";

/**
 * Measures the engine as `tests/bench/workload.ts` does, with its seed 1.
 *
 * @returns Figures.
 */
export function run(): Promise<BenchResult> {
  return measureWorkload();
}
