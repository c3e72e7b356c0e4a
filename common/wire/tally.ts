/** What became of an event that a hook saw, in the order of the format; only appended. */
export const OUTCOMES = [
  "submitted",
  "filtered",
  "folded",
  "ringFull",
  "oversized",
  "unreadable",
] as const;

/** What became of an event that a hook saw. */
export type Outcome = (typeof OUTCOMES)[number];

/** Outcomes in which a record is lost. */
export const LOST_OUTCOMES = ["ringFull", "oversized", "unreadable"] as const satisfies Outcome[];

/** An outcome in which a record is lost. */
export type LostOutcome = (typeof LOST_OUTCOMES)[number];

/**
 * How many records were lost.
 *
 * @param counts What was counted.
 */
export function lostOf(counts: Readonly<Record<LostOutcome, number>>): number {
  return LOST_OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/** What a sensor counted of one kind: seen = the sum of the outcomes, when nothing runs. */
export interface Tally extends Readonly<Record<Outcome, number>> {
  /** Number of the kind, as in records. */
  readonly kind: number;
  readonly seen: number;
}

/** What was counted of one kind at one place. */
export interface PlaceTally extends Tally {
  /** As in records; of a table the first of its sources, see `tableSource`. */
  readonly source: number;
}

/** Calls of a program that a kernel left out, as the program ran on that CPU already. */
export interface MissedRuns {
  /** Name of the program. */
  readonly program: string;
  readonly count: number;
}

/** Kinds, and programs, that a record has room for: a sensor has fewer. */
export const TALLIES_MAX = 64;
/** Places that a record has room for; those over it come with the next one. */
export const PLACES_MAX = 128;

const COUNT_BYTES = 8;
/** u16 kind, u16 source (0 where all are together), two u16 that are 0, u64 seen, each outcome. */
const ROW_BYTES = 8 + (1 + OUTCOMES.length) * COUNT_BYTES;
const SOURCE_OFFSET = 2;
const MISSED_LINE = /^([a-z0-9_]{1,32}) (\d{1,15})$/;

/**
 * Tallies as a health record has them.
 *
 * @param tallies A row a kind.
 * @returns Bytes; rows over {@linkcode TALLIES_MAX} are left out.
 */
export function encodeTallies(tallies: readonly Tally[]): Uint8Array<ArrayBuffer> {
  return encodeRows(tallies.slice(0, TALLIES_MAX).map((row) => ({ ...row, source: 0 })));
}

/**
 * Tallies of places as a health record has them.
 *
 * @param places A row a kind and place.
 * @returns Bytes; rows over {@linkcode PLACES_MAX} are left out.
 */
export function encodePlaces(places: readonly PlaceTally[]): Uint8Array<ArrayBuffer> {
  return encodeRows(places.slice(0, PLACES_MAX));
}

/**
 * Reads tallies of kinds.
 *
 * @param bytes As a record has them.
 * @returns A row a kind; `undefined` when they are none that a sensor could have.
 */
export function decodeTallies(bytes: Uint8Array): readonly Tally[] | undefined {
  return decodeRows(bytes, TALLIES_MAX)?.map(({ source: _, ...row }) => row);
}

/**
 * Reads tallies of places.
 *
 * @param bytes As a record has them.
 * @returns A row a kind and place; `undefined` when they are none that a sensor could have.
 */
export function decodePlaces(bytes: Uint8Array): readonly PlaceTally[] | undefined {
  return decodeRows(bytes, PLACES_MAX);
}

function encodeRows(rows: readonly PlaceTally[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(rows.length * ROW_BYTES));
  rows.forEach((row, i) => {
    const at = i * ROW_BYTES;
    view.setUint16(at, row.kind, true);
    view.setUint16(at + SOURCE_OFFSET, row.source, true);
    [row.seen, ...OUTCOMES.map((outcome) => row[outcome])].forEach((count, n) => {
      view.setBigUint64(at + COUNT_BYTES * (1 + n), BigInt(count), true);
    });
  });
  return new Uint8Array(view.buffer);
}

function decodeRows(bytes: Uint8Array, rowsMax: number): readonly PlaceTally[] | undefined {
  if (bytes.length % ROW_BYTES !== 0 || bytes.length > rowsMax * ROW_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows: PlaceTally[] = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const count = (n: number): number =>
      Number(view.getBigUint64(at + COUNT_BYTES * (1 + n), true));
    const counts = OUTCOMES.map((outcome, n) => [outcome, count(1 + n)] as const);
    if (![count(0), ...counts.map(([, number]) => number)].every(Number.isSafeInteger)) {
      return undefined;
    }
    rows.push({
      kind: view.getUint16(at, true),
      source: view.getUint16(at + SOURCE_OFFSET, true),
      seen: count(0),
      ...Object.fromEntries(counts) as Record<Outcome, number>,
    });
  }
  return rows;
}

/**
 * Missed runs as a health record has them: a line a program.
 *
 * @param missed Programs that missed any.
 */
export function encodeMissed(missed: readonly MissedRuns[]): string {
  return missed.slice(0, TALLIES_MAX).map(({ program, count }) => `${program} ${count}`).join("\n");
}

/**
 * Reads them.
 *
 * @param text As a record has it.
 * @returns A row a program; `undefined` when a line is none.
 */
export function decodeMissed(text: string): readonly MissedRuns[] | undefined {
  if (text === "") return [];
  const lines = text.split("\n");
  const rows = lines.slice(0, TALLIES_MAX).flatMap((line): MissedRuns[] => {
    const [, program, count] = MISSED_LINE.exec(line) ?? [];
    return program === undefined ? [] : [{ program, count: Number(count) }];
  });
  return rows.length === lines.length ? rows : undefined;
}
