/**
 * Reads JSON where what is none counts as not there.
 *
 * @param text The text; `undefined` where there was nothing to read.
 * @returns The value, `undefined` when the text is no JSON.
 */
export function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Tells whether a value of JSON is a count.
 *
 * @param value Any value.
 * @returns True for a whole number from 0 that is exact.
 */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
