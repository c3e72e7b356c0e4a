import type { ProgramReport } from "../../build/programs.ts";

/** Begins each line of a guest's report on its serial port; JSON follows. */
export const REPORT_MARK = "@immune ";

/** One test that ran in the guest. */
export interface GuestTest {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Of what failed, or why it was skipped: its words, cut. */
  readonly detail?: string;
}

/** What a guest says on its serial port, in this order; programs and tests many times. */
export type GuestReport =
  | { readonly type: "begin"; readonly release: string; readonly lsm: string }
  | { readonly type: "program"; readonly program: ProgramReport }
  | { readonly type: "test"; readonly test: GuestTest }
  | { readonly type: "end" };

/**
 * Writes a report as a line.
 *
 * @param report What to say.
 * @returns The line, with its end.
 */
export function encodeReport(report: GuestReport): string {
  return `${REPORT_MARK}${JSON.stringify(report)}\n`;
}

/**
 * Reads a line of the serial port.
 *
 * @param line Without its end; a word of the kernel may stand before the mark.
 * @returns What it reports, or `undefined` when it is something else, or was cut.
 */
export function decodeReport(line: string): GuestReport | undefined {
  const at = line.indexOf(REPORT_MARK);
  if (at < 0) return undefined;
  try {
    const report: GuestReport | null = JSON.parse(line.slice(at + REPORT_MARK.length));
    return typeof report?.type === "string" ? report : undefined;
  } catch {
    return undefined;
  }
}
