// deno task bpf:report
//
// Loads every eBPF program on the running kernel and says what the verifier had to do for it.

import { buildSensor } from "./sensor.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
/** The verifier gives up on a program after so many instructions (BPF_COMPLEXITY_LIMIT_INSNS). */
const VERIFIED_MAX = 1_000_000;

/** One program as the kernel took it. */
export interface ProgramReport {
  readonly name: string;
  /** Where it is attached, as its section says. */
  readonly section: string;
  /** Instructions that the verifier went through; 0 where the kernel does not tell (before 5.16). */
  readonly verified: number;
  /** Instructions. */
  readonly instructions: number;
  /** Bytes as machine code. */
  readonly bytes: number;
}

/**
 * Builds the programs and loads them, as root.
 *
 * @returns A row a program.
 * @throws {Error} when one does not compile or load.
 */
export async function reportPrograms(): Promise<readonly ProgramReport[]> {
  await buildSensor();
  const binary = `${ROOT}/out/bpf/report`;
  await run("cc", [
    ..."-O1 -Wall -Wextra -Werror".split(" "),
    `-I${ROOT}/out/gen`,
    `-I${ROOT}/bpf/lib`,
    `${ROOT}/bpf/report/report.c`,
    "-lbpf",
    "-o",
    binary,
  ]);
  const lines = (await run(binary, [])).trim().split("\n");
  return lines.map((line): ProgramReport => {
    const [name = "", section = "", verified, instructions, bytes] = line.split("\t");
    return {
      name,
      section,
      verified: Number(verified),
      instructions: Number(instructions),
      bytes: Number(bytes),
    };
  });
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
