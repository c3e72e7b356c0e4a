// deno task bpf:report
//
// Loads every eBPF program on the running kernel and says what the verifier had to do for it.

import { buildReport } from "./live_tests.ts";
import { parsePrograms, type ProgramReport } from "./programs.ts";
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

if (import.meta.main) {
  const rows = await reportPrograms();
  console.log(
    `Kernel ${Deno.osRelease()}, ${rows.length} programs, at most ${VERIFIED_MAX} verified`,
  );
  console.log("verified  instructions  bytes  program (section)");
  for (const { name, section, verified, instructions, bytes } of rows) {
    const numbers = [
      String(verified).padStart(8),
      String(instructions).padStart(12),
      String(bytes).padStart(5),
    ];
    console.log(`${numbers.join("  ")}  ${name} (${section})`);
  }
}
