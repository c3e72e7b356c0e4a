import { kindName } from "../../common/record/table.ts";
import { isJsonObject } from "../../common/sigma/event_value.ts";
import { isCount } from "../../common/text/json.ts";
import { type Place, placeOf, TABLE_KIND } from "../../common/wire/place.ts";
import { type MissedRuns, type Outcome, OUTCOMES } from "../../common/wire/tally.ts";
import type { ProgramRow, StatsRow } from "../sensors/sensor.ts";

const VERSION = 1;
/** Longest file that is read: 4,096 rows of counters, in bytes. */
export const SENSOR_FILE_BYTES_MAX = 2 * 1024 * 1024;

/** All that a sensor has counted since it was opened. */
export interface SensorCounts {
  /** Counters of records and of tables. */
  readonly rows: readonly StatsRow[];
  readonly programs: readonly ProgramRow[];
  /** How often programs were found not attached. */
  readonly detached: readonly MissedRuns[];
}

/** What was counted of one kind at one place: seen = the sum of the others. */
export interface CountedPlace extends Place, Readonly<Record<Outcome, number>> {
  /** Name of the kind; `table` for what a table was asked to hold. */
  readonly kind: string;
  readonly seen: number;
}

/** What the sensor of this host has counted since it was opened, as its agent last put it down. */
export interface SensorFile {
  /** RFC 3339. */
  readonly time: string;
  readonly places: readonly CountedPlace[];
  /** Runs that the kernel left out, by program. */
  readonly missed: readonly MissedRuns[];
  readonly detached: readonly MissedRuns[];
}

/**
 * Reads what the agent that runs, or the last one, wrote.
 *
 * @param path Path of the file.
 * @returns `undefined` where there is none, or none that holds.
 */
export function readSensorFile(path: string): SensorFile | undefined {
  try {
    if (Deno.statSync(path).size > SENSOR_FILE_BYTES_MAX) return undefined;
    const found: unknown = JSON.parse(Deno.readTextFileSync(path));
    return isSensorFile(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Puts down what a sensor has counted. It is replaced as a whole and not synced: it is of the run
 * that writes it.
 *
 * @param path Path of the file.
 * @param counts Counters since the sensor was opened.
 * @throws {Deno.errors} when it cannot be written.
 */
export function writeSensorFile(path: string, { rows, programs, detached }: SensorCounts): void {
  const places = rows.filter(({ seen }) => seen > 0).map((row) => ({
    kind: row.kind === TABLE_KIND ? "table" : kindName(row.kind) ?? "other",
    ...placeOf(row),
    seen: row.seen,
    ...Object.fromEntries(OUTCOMES.map((outcome) => [outcome, row[outcome]])),
  }));
  const missed = programs.filter((program) => program.missed > 0)
    .map(({ name, missed }) => ({ program: name, count: missed }));
  const time = new Date().toISOString();
  const text = JSON.stringify({ version: VERSION, time, places, missed, detached });
  Deno.writeTextFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

// By hand, not by a schema: the pipeline's Worker loads no library for it.
function isSensorFile(found: unknown): found is SensorFile {
  if (!isJsonObject(found) || found["version"] !== VERSION) return false;
  const { time, places, missed, detached } = found;
  return typeof time === "string" && isListOf(places, isPlace) && isListOf(missed, isProgram) &&
    isListOf(detached, isProgram);
}

function isListOf(found: unknown, isOne: (value: unknown) => boolean): boolean {
  return Array.isArray(found) && found.every(isOne);
}

function isPlace(found: unknown): boolean {
  return isJsonObject(found) && typeof found["kind"] === "string" &&
    (found["cpu"] === null || isCount(found["cpu"])) &&
    (found["part"] === null || typeof found["part"] === "string") &&
    ["seen", ...OUTCOMES].every((name) => isCount(found[name]));
}

function isProgram(found: unknown): boolean {
  return isJsonObject(found) && typeof found["program"] === "string" && isCount(found["count"]);
}
