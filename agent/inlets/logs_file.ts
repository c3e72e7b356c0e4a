import { z } from "zod";
import { readIfThere } from "../../common/config/durable_file.ts";
import type { LogCounts, LogPositions, LogState } from "./inlet.ts";

const count = z.number().int().nonnegative();
const fileSchema = z.object({
  version: z.literal(1),
  /** RFC 3339. */
  time: z.string(),
  positions: z.object({
    files: z.record(
      z.string(),
      z.object({ file: z.string(), offset: count, head: z.string(), headBytes: count }),
    ),
    journals: z.record(z.string(), z.record(z.string(), count)).default({}),
  }),
  counts: z.record(z.string(), count),
  logs: z.array(z.object({
    path: z.string(),
    open: z.boolean(),
    gaps: count,
    skippedBytes: count,
    tooLong: count,
  })),
});
/** How far the logs of this host were read, and what came of it. */
export type LogsFile = z.infer<typeof fileSchema>;

/**
 * Reads what the last run, or the one that runs, wrote.
 *
 * @param path Path of the file.
 * @returns `undefined` where there is none, or none that holds.
 */
export function readLogsFile(path: string): LogsFile | undefined {
  try {
    return fileSchema.safeParse(JSON.parse(readIfThere(path) ?? "")).data;
  } catch {
    return undefined;
  }
}

/** What is put down of an inlet. */
export interface LogsNow {
  readonly positions: LogPositions;
  readonly counts: LogCounts;
  readonly logs: readonly LogState[];
}

/**
 * Puts down how far the logs were read. It is replaced as a whole and not synced: after a power loss
 * lines may be read again.
 *
 * @param path Path of the file.
 * @param now Positions and counts.
 * @throws {Deno.errors} when it cannot be written.
 */
export function writeLogsFile(path: string, now: LogsNow): void {
  const text = JSON.stringify({ version: 1, time: new Date().toISOString(), ...now });
  Deno.writeTextFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}
