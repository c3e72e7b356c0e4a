// deno task bpf:report
//
// Loads every eBPF program on the running kernel and says what the verifier had to do for it, beside
// what those of other kernels had to do when `deno task test:kernels` last ran.

import { keptPrograms, type KernelPrograms } from "./kernel_programs.ts";
import { buildReport } from "./live_tests.ts";
import { LEFT_OUT, parsePrograms, type ProgramReport } from "./programs.ts";
import { buildSensor } from "./sensor.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
/** The verifier gives up on a program after so many instructions (BPF_COMPLEXITY_LIMIT_INSNS). */
const VERIFIED_MAX = 1_000_000;

/**
 * Builds the programs and loads them, as root.
 *
 * @returns A row a program, those that the kernel refused too.
 * @throws {Error} when one does not compile.
 */
export async function reportPrograms(): Promise<readonly ProgramReport[]> {
  await buildSensor();
  const binary = `${ROOT}/out/bpf/report`;
  await buildReport(binary);
  return parsePrograms(await run(binary, []));
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout);
}

/**
 * Shows programs as a table, with what the verifiers of other kernels did.
 *
 * @param rows Programs of the running kernel.
 * @param others What the kernel matrix kept.
 * @returns Lines.
 */
export function reportTable(
  rows: readonly ProgramReport[],
  others: readonly KernelPrograms[],
): readonly string[] {
  const head = ["verified", "instructions", "bytes", ...others.map(({ kernel }) => kernel)];
  const lines = rows.map(({ name, section, verified, instructions, bytes, refusal }) => {
    const elsewhere = others.map(({ programs }) => verifiedOf(programs, name));
    const own = refusal === ""
      ? [verified, instructions, bytes].map(String)
      : [absence(refusal), "", ""];
    return { cells: [...own, ...elsewhere], label: `${name} (${section})` };
  });
  const all = [{ cells: head, label: "program (section)" }, ...lines];
  const widths = head.map((_, i) => Math.max(...all.map(({ cells }) => cells[i]?.length ?? 0)));
  return all.map(({ cells, label }) =>
    [...cells.map((cell, i) => cell.padStart(widths[i] ?? 0)), label].join("  ")
  );
}

/** Instructions that a kernel's verifier went through for a program, as a cell. */
function verifiedOf(programs: readonly ProgramReport[], name: string): string {
  const program = programs.find((one) => one.name === name);
  if (program === undefined) return "-";
  if (program.refusal !== "") return absence(program.refusal);
  return program.verified === 0 ? "loads" : String(program.verified);
}

/** Why a program is not there: another one is in its place on this kernel, or it was refused. */
function absence(refusal: string): string {
  return refusal === LEFT_OUT ? LEFT_OUT : "refused";
}

if (import.meta.main) {
  const rows = await reportPrograms();
  console.log(
    `Kernel ${Deno.osRelease()}, ${rows.length} programs, at most ${VERIFIED_MAX} verified; ` +
      "beside it what other kernels verified",
  );
  for (const line of reportTable(rows, await keptPrograms())) console.log(line);
}
