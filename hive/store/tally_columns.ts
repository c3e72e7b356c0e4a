import { type Outcome, OUTCOMES, type Tally } from "../../common/wire/mod.ts";
import { integer } from "./rows.ts";

const COLUMNS: Readonly<Record<"seen" | Outcome, string>> = {
  seen: "seen",
  submitted: "submitted",
  filtered: "filtered",
  folded: "folded",
  ringFull: "ring_full",
  oversized: "oversized",
  unreadable: "unreadable",
};
const NAMES = ["seen", ...OUTCOMES] as const;

/** Columns of a table of tallies, in the order of {@linkcode tallyValues}. */
export const TALLY_COLUMNS = NAMES.map((name) => COLUMNS[name]);

/** A mark for each value of {@linkcode tallyValues}. */
export const TALLY_MARKS = TALLY_COLUMNS.map(() => "?").join(", ");

/** Adds what is inserted to what is there; the sum stops where a number is no longer exact. */
export const TALLY_SUMS = TALLY_COLUMNS
  .map((name) => `${name} = min(${name} + excluded.${name}, ${Number.MAX_SAFE_INTEGER})`)
  .join(", ");

/**
 * Values of the columns.
 *
 * @param tally What was counted.
 */
export function tallyValues(tally: Tally): number[] {
  return NAMES.map((name) => tally[name]);
}

/**
 * Reads a row's counts.
 *
 * @param row A row with all of the columns.
 */
export function tallyOf(row: Parameters<typeof integer>[0]): Omit<Tally, "kind"> {
  const counts = NAMES.map((name) => [name, integer(row, COLUMNS[name])]);
  return Object.fromEntries(counts) as Omit<Tally, "kind">;
}
