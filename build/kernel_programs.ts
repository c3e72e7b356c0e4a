import type { ProgramReport } from "./programs.ts";

/** Where the kernel matrix leaves what verifiers did, for `deno task bpf:report`. */
const KEPT = new URL("../out/kernels/programs.json", import.meta.url);

/** What the verifier of one kernel did. */
export interface KernelPrograms {
  /** Name of the kernel in the matrix. */
  readonly kernel: string;
  readonly programs: readonly ProgramReport[];
}

/**
 * Keeps what verifiers did; of a kernel that is not among them the last is kept.
 *
 * @param results Kernels; those without programs are left out.
 */
export async function keepPrograms(results: readonly KernelPrograms[]): Promise<void> {
  const fresh = results.filter(({ programs }) => programs.length > 0)
    .map(({ kernel, programs }): KernelPrograms => ({ kernel, programs }));
  const known = new Set(fresh.map(({ kernel }) => kernel));
  const kept = (await keptPrograms()).filter(({ kernel }) => !known.has(kernel));
  const all = [...kept, ...fresh].sort((a, b) =>
    a.kernel.localeCompare(b.kernel, "en", { numeric: true })
  );
  await Deno.writeTextFile(KEPT, JSON.stringify(all));
}

/**
 * What the verifiers of the matrix's kernels did when it last ran here.
 *
 * @returns Kernels, oldest first; empty when it did not run.
 */
export async function keptPrograms(): Promise<readonly KernelPrograms[]> {
  try {
    return JSON.parse(await Deno.readTextFile(KEPT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
