import { createHash } from "node:crypto";
import { VALUE_LENGTH_MAX } from "./limits.ts";

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?\s*$/i;
/** Digits of the hash that stands for the end of a long value. */
const HASH_DIGITS = 32;

/**
 * A value as it is kept: distinct values stay distinct.
 *
 * @param value Any text.
 * @returns `VALUE_LENGTH_MAX` UTF-16 units at most.
 */
export function keptValue(value: string): string {
  if (value.length <= VALUE_LENGTH_MAX) return value;
  const hash = createHash("sha256").update(value).digest("hex").slice(0, HASH_DIGITS);
  return `${value.slice(0, VALUE_LENGTH_MAX - HASH_DIGITS - 1)}#${hash}`;
}

/**
 * The number that a text is, decimal.
 *
 * @param text As `-1.5e3`.
 * @returns It, finite; `undefined` where it is none.
 */
export function numberOf(text: string): number | undefined {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
