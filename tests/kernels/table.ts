import type { KernelResult } from "./matrix.ts";

/** Tests of kernels, counted; a kernel that broke or did not boot counts as one. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts what kernels came to. */
export function totalsOf(results: readonly KernelResult[]): Totals {
  const tests = results.flatMap(({ tests }) => tests);
  const count = (wanted: string): number => tests.filter(({ state }) => state === wanted).length;
  return {
    passed: count("passed"),
    failed: count("failed") + results.filter(({ broken }) => broken !== undefined).length,
    skipped: count("skipped") + results.filter(({ skipped }) => skipped !== undefined).length,
  };
}

const HEADINGS = ["kernel", "programs", "passed", "failed", "skipped", "s", "verified", "release"];

/**
 * Shows results as a table for eyes.
 *
 * @param results A kernel each.
 * @returns Lines.
 */
export function table(results: readonly KernelResult[]): readonly string[] {
  const rows = [HEADINGS, ...results.map(rowOf)];
  const widths = HEADINGS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, i) =>
      i === 0 || i === row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell
        .padStart(widths[i] ?? 0)
    ).join("  ").trimEnd()
  );
}

function rowOf(result: KernelResult): readonly string[] {
  const name = result.kernel;
  if (result.skipped !== undefined) {
    return [name, "-", "-", "-", "-", "-", "-", `skipped: ${result.skipped}`];
  }
  const { passed, failed, skipped } = totalsOf([result]);
  const loaded = result.programs.filter(({ refusal }) => refusal === "");
  const verified = loaded.reduce((sum, program) => sum + program.verified, 0);
  return [
    name,
    `${loaded.length}/${result.programs.length}`,
    String(passed),
    String(failed),
    String(skipped),
    result.seconds.toFixed(0),
    String(verified),
    result.release === "" ? "did not boot" : result.release,
  ];
}
