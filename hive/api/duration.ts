const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Form of a span of time in a query: a number and its unit. */
export const DURATION = /^[1-9]\d{0,5}[smhd]$/;

/**
 * A span of time as milliseconds.
 *
 * @param text Such as `24h`, in the form of {@linkcode DURATION}.
 * @returns Milliseconds.
 * @throws {TypeError} when it has another form.
 */
export function durationMs(text: string): number {
  const unit = UNIT_MS[text.at(-1) ?? ""];
  if (!DURATION.test(text) || unit === undefined) throw new TypeError(`No span of time "${text}"`);
  return Number(text.slice(0, -1)) * unit;
}
