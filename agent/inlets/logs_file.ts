import { readIfThere } from "../../common/config/durable_file.ts";
import { isJsonObject, type JsonObject } from "../../common/sigma/event_value.ts";
import { isCount } from "../../common/text/json.ts";
import type { LogCounts, LogPositions, LogState } from "./inlet.ts";

const VERSION = 1;

/** How far the logs of this host were read, and what came of it. */
export interface LogsFile {
  /** RFC 3339. */
  readonly time: string;
  readonly positions: LogPositions;
  readonly counts: Readonly<Record<string, number>>;
  readonly logs: readonly LogState[];
}

/**
 * Reads what the last run, or the one that runs, wrote.
 *
 * @param path Path of the file.
 * @returns `undefined` where there is none, or none that holds.
 */
export function readLogsFile(path: string): LogsFile | undefined {
  try {
    const found: unknown = JSON.parse(readIfThere(path) ?? "");
    return isLogsFile(found) ? found : undefined;
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
  const text = JSON.stringify({ version: VERSION, time: new Date().toISOString(), ...now });
  Deno.writeTextFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

// By hand, not by a schema: the pipeline's Worker loads no library for it.
function isLogsFile(found: unknown): found is LogsFile {
  if (!isJsonObject(found) || found["version"] !== VERSION) return false;
  const { time, positions, counts, logs } = found;
  return typeof time === "string" && isJsonObject(positions) &&
    isRecordOf(positions["files"], isFilePosition) &&
    isRecordOf(positions["journals"], (journal) => isRecordOf(journal, isCount)) &&
    isRecordOf(positions["active"] ?? {}, isTexts) &&
    isRecordOf(counts, isCount) && Array.isArray(logs) && logs.every(isLogState);
}

function isRecordOf(found: unknown, isOne: (value: unknown) => boolean): found is JsonObject {
  return isJsonObject(found) && Object.values(found).every(isOne);
}

function isTexts(found: unknown): boolean {
  return Array.isArray(found) && found.every((one) => typeof one === "string");
}

function isFilePosition(found: unknown): boolean {
  return isJsonObject(found) && typeof found["file"] === "string" &&
    typeof found["head"] === "string" && isCount(found["offset"]) && isCount(found["headBytes"]);
}

function isLogState(found: unknown): boolean {
  return isJsonObject(found) && typeof found["path"] === "string" &&
    typeof found["open"] === "boolean" &&
    ["gaps", "skippedBytes", "tooLong"].every((key) => isCount(found[key]));
}
