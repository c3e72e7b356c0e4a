import { InvalidArgumentError } from "commander";
import { parseTimespan } from "../../common/sigma/timespan.ts";

/**
 * Reads a span of time that was given to an option.
 *
 * @param text As `30d`.
 * @returns Milliseconds.
 * @throws {InvalidArgumentError} when it is none.
 */
export function timespanOf(text: string): number {
  const span = parseTimespan(text);
  if (span === undefined) {
    throw new InvalidArgumentError("Give a number and a unit: 30d, 12h, 45m, 8w.");
  }
  return span;
}
