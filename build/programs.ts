/** Said instead of a refusal: the kernel does not have the event that a program hangs on. */
export const LEFT_OUT = "left out";

/** One eBPF program as a kernel took it, or refused it. */
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
  /** Why it was refused, or `LEFT_OUT`; empty when it loads. */
  readonly refusal: string;
}

/**
 * Reads what `bpf/report` prints.
 *
 * @param text A line a program, its parts separated by tabs.
 * @returns A row a program.
 */
export function parsePrograms(text: string): readonly ProgramReport[] {
  return text.split("\n").filter((line) => line !== "").map((line): ProgramReport => {
    const [name = "", section = "", verified, instructions, bytes, refusal = ""] = line.split("\t");
    return {
      name,
      section,
      verified: Number(verified),
      instructions: Number(instructions),
      bytes: Number(bytes),
      refusal,
    };
  });
}
