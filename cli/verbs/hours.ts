import { InvalidArgumentError } from "commander";
import { ANTIBODY_LIFETIME_MS_MAX } from "../../common/herd/antibody.ts";

const HOURS_MAX = ANTIBODY_LIFETIME_MS_MAX / 3_600_000;

/**
 * How long an antibody is to hold, for an option.
 *
 * @param text As it was typed.
 * @returns Hours.
 * @throws {InvalidArgumentError} what to use instead.
 */
export function parseHours(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= HOURS_MAX) return Number(text);
  throw new InvalidArgumentError(`Use a number from 1 to ${HOURS_MAX}.`);
}
