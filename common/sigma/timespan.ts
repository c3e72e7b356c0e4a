import { TIMESPAN_MS_MAX } from "./limits.ts";

const SECOND_MS = 1000;
/** Milliseconds of each unit; a month and a year are those of the Gregorian calendar's mean. */
const UNITS_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
  w: 604_800 * SECOND_MS,
  M: 2_629_746 * SECOND_MS,
  y: 31_556_952 * SECOND_MS,
};

/**
 * Reads a time span as correlations have it: a whole number and a unit.
 *
 * @param text As `90m`.
 * @returns Milliseconds, 1 s to `TIMESPAN_MS_MAX`; `undefined` when it is none.
 */
export function parseTimespan(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,9})([smhdwMy])$/.exec(text) ?? [];
  const span = Number(count) * (UNITS_MS[unit] ?? 0);
  return span > 0 && span <= TIMESPAN_MS_MAX ? span : undefined;
}
