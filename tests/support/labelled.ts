import type { Refusals } from "./enforcement.ts";

/** Id of the role `coding_agent`. */
export const CODING_AGENT = 5;
/** When the label was found, in nanoseconds since boot: after every exec, so that none outdoes it. */
const LABELLED_AT = 1n << 62n;

/** What a process is labelled with, and what it does then. */
export interface Labelled {
  readonly role?: number;
  readonly session?: bigint;
  /** What a shell of that label runs; its arguments are `$1` and so on. */
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * Runs a script in a shell that has a label, as the agent gives it to a process that lives.
 *
 * @param sensor The sensor, which tells of execs.
 * @param labelled Label and script.
 * @returns What the script printed.
 */
export async function runLabelled(
  { probe }: Pick<Refusals, "probe">,
  labelled: Labelled,
): Promise<string> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `read go; ${labelled.script}`, "sh", ...labelled.args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const exec = () => probe.records.find(({ kind, pid }) => kind === "exec" && pid === child.pid);
  probe.until(() => exec() !== undefined);
  probe.sensor.label(labelOf({ pid: child.pid, startTimeNs: exec()?.startTimeNs ?? 0n }, labelled));
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("go\n"));
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout);
}

/**
 * A row of `struct immune_label`.
 *
 * @param process The process, and when it started, in nanoseconds since boot.
 * @param label What it gets.
 */
export function labelOf(
  { pid, startTimeNs }: { readonly pid: number; readonly startTimeNs: bigint },
  { role = 0, session = 0n }: Pick<Labelled, "role" | "session">,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, startTimeNs, true);
  view.setBigUint64(8, session, true);
  view.setBigUint64(16, LABELLED_AT, true);
  view.setUint32(24, pid, true);
  view.setUint32(28, role, true);
  return new Uint8Array(view.buffer);
}
