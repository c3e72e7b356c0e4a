/**
 * The text that a value of a feed is.
 *
 * @param value Any JSON value.
 * @returns It, `undefined` for what is no text.
 */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
