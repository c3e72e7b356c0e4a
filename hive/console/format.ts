const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
/** From here on a number is shown in short form. */
const COMPACT_FROM = 100_000;

const STEPS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/**
 * A number with separators.
 *
 * @param value The number.
 */
export function exact(value: number): string {
  return NUMBER.format(value);
}

/**
 * A number that stays short: exact below 100,000.
 *
 * @param value The number.
 */
export function short(value: number): string {
  return value < COMPACT_FROM ? NUMBER.format(value) : COMPACT.format(value);
}

/**
 * How long ago something was.
 *
 * @param time RFC 3339.
 * @param nowMs Unix time in milliseconds.
 * @returns Such as `12 s ago`; `now` below a second and for what lies ahead.
 */
export function ago(time: string, nowMs: number): string {
  const passed = nowMs - Date.parse(time);
  for (const [ms, unit] of STEPS) {
    if (passed >= ms) return `${Math.floor(passed / ms)} ${unit} ago`;
  }
  return "now";
}

/**
 * A moment as people read it, UTC.
 *
 * @param time RFC 3339.
 * @returns Such as `2026-11-22 23:46:29 UTC`.
 */
export function moment(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}

/**
 * A machine's name as words.
 *
 * @param name Such as `ring_full`.
 */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/**
 * Makes what cannot be seen visible: control characters and those that turn the direction of text.
 *
 * @param text Text from outside.
 * @param options `max`: characters shown, default 4096.
 */
export function visible(text: string, options: { readonly max?: number } = {}): string {
  const max = options.max ?? 4096;
  const cut = text.length > max ? `${text.slice(0, max)} …` : text;
  return cut.replace(
    // deno-lint-ignore no-control-regex -- these are the characters that are looked for
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
