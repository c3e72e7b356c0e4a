import { ImmuneError } from "../config/errors.ts";
import { BATCH_BYTES_MAX, LOSSES_PER_BATCH_MAX } from "../wire/batch.ts";
import { batchBytes, checkLoss } from "../wire/encode.ts";
import { countRecords } from "../wire/records.ts";
import {
  type AppendOptions,
  FLUSH_INTERVAL_MS,
  type JournalOptions,
  SEGMENT_BYTES,
  SEGMENT_BYTES_MIN,
  TOTAL_BYTES,
} from "./options.ts";

/** Bounds of a journal, with their defaults. */
export interface Bounds {
  readonly segmentBytes: number;
  readonly totalBytes: number;
  readonly flushMs: number;
}

/**
 * The bounds that options ask for.
 *
 * @param options What was asked for.
 * @returns Every bound.
 * @throws {ImmuneError} `CONFIG_INVALID` when they do not hold together.
 */
export function boundsOf(options: JournalOptions): Bounds {
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  const totalBytes = options.totalBytes ?? TOTAL_BYTES;
  const flushMs = options.flushMs ?? FLUSH_INTERVAL_MS;
  const refuse = (name: string, rule: string): never => {
    throw new ImmuneError("CONFIG_INVALID", `Cannot open journal: ${name} must be ${rule}`);
  };
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < SEGMENT_BYTES_MIN) {
    refuse("segment_bytes", `a whole number from ${SEGMENT_BYTES_MIN}`);
  }
  if (!Number.isSafeInteger(totalBytes) || totalBytes < 2 * segmentBytes) {
    refuse("total_bytes", `at least two segments of ${segmentBytes} bytes`);
  }
  if (!(flushMs >= 0)) refuse("flush_ms", "a number from 0");
  return { segmentBytes, totalBytes, flushMs };
}

/**
 * Checks an append before anything is changed.
 *
 * @param records Its records.
 * @param options What it says of them.
 * @throws {ImmuneError} `BATCH_TOO_LARGE` or `BATCH_MALFORMED`.
 */
export function checkAppend(
  records: Uint8Array,
  { recordCount, losses = [] }: AppendOptions,
): void {
  const tooLong = batchBytes(LOSSES_PER_BATCH_MAX, records.length) > BATCH_BYTES_MAX;
  if (tooLong || losses.length > LOSSES_PER_BATCH_MAX) {
    throw new ImmuneError(
      "BATCH_TOO_LARGE",
      `Cannot append ${records.length} bytes and ${losses.length} losses: split them`,
    );
  }
  losses.forEach(checkLoss);
  const counted = countRecords(records);
  if (counted !== recordCount || counted === 0) {
    throw new ImmuneError(
      "BATCH_MALFORMED",
      `Cannot append ${counted} records that are said to be "${recordCount}"`,
    );
  }
}

/**
 * Makes the journal's folder, or keeps others out of the one that is there.
 *
 * @param folder Its path.
 * @throws {ImmuneError} `STATE_UNUSABLE`.
 */
export function makeFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Deno.chmodSync(folder, 0o700);
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

/**
 * The error for a folder that cannot be used.
 *
 * @param folder Its path.
 * @param cause Why.
 * @returns `STATE_UNUSABLE`, or `cause` when it says enough.
 */
export function unusable(folder: string, cause: unknown): ImmuneError {
  if (cause instanceof ImmuneError) return cause;
  return new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot open journal "${folder}": ${reason(cause)}; check the folder's owner and disk`,
    { cause },
  );
}

/**
 * The error for an append that the disk did not take.
 *
 * @param folder The journal's folder.
 * @param cause What the disk answered.
 * @returns `JOURNAL_FULL`.
 */
export function unwritable(folder: string, cause: unknown): ImmuneError {
  return new ImmuneError(
    "JOURNAL_FULL",
    `Cannot append to journal "${folder}": ${reason(cause)}; free space on its disk`,
    { cause },
  );
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
