const NUMBER = /^[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?$/;
/** Longest text of a number, in bytes. */
const NUMBER_LENGTH_MAX = 64;
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?([Zz]|[-+]\d{2}:?\d{2})?)?$/;
const SECONDS_DIGITS_MAX = 10;
const DAY_MS = 86_400_000;

/**
 * Reads a number.
 *
 * @param text Value of a field.
 * @returns The number, or `undefined` when it is none.
 */
export function numberOf(text: string): number | undefined {
  return text.length <= NUMBER_LENGTH_MAX && NUMBER.test(text) ? Number(text) : undefined;
}

/**
 * Reads a part of a point in time, in UTC.
 *
 * @param text RFC 3339, a date alone, or seconds (from 11 digits on milliseconds) since 1970.
 * @param part `minute`, `hour`, `day`, `week`, `month` or `year`.
 * @returns The part, or `undefined` when the text tells no time.
 */
export function timePartOf(text: string, part: string): number | undefined {
  const ms = timeOf(text);
  if (ms === undefined) return undefined;
  const date = new Date(ms);
  switch (part) {
    case "minute":
      return date.getUTCMinutes();
    case "hour":
      return date.getUTCHours();
    case "day":
      return date.getUTCDate();
    case "week":
      return isoWeek(date);
    case "month":
      return date.getUTCMonth() + 1;
    case "year":
      return date.getUTCFullYear();
  }
  throw new RangeError(`A time has no "${part}"`);
}

function timeOf(text: string): number | undefined {
  if (/^[-+]?\d+$/.test(text)) {
    const digits = text.replace(/^[-+]/, "").length;
    return digits > SECONDS_DIGITS_MAX ? Number(text) : Number(text) * 1000;
  }
  const [, year, month, day, hour = "00", minute = "00", second = "00", zone = "Z"] =
    TIME.exec(text) ?? [];
  if (year === undefined) return undefined;
  const [y, m, d, h, min, s] = [year, month, day, hour, minute, second].map(Number);
  const midnight = Date.UTC(y ?? 0, (m ?? 0) - 1, d);
  if (new Date(midnight).toISOString().slice(0, 10) !== text.slice(0, 10)) return undefined;
  if ((h ?? 0) > 23 || (min ?? 0) > 59 || (s ?? 0) > 60) return undefined;
  const [, sign, hours = "0", minutes = "0"] = /^([-+])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === "-" ? -1 : 1);
  return midnight + (((h ?? 0) * 60 + (min ?? 0)) * 60 + (s ?? 0)) * 1000 - offset;
}

/** ISO 8601: a week belongs to the year of its Thursday, and the first is that of 4 January. */
function isoWeek(date: Date): number {
  const day = Math.floor(date.getTime() / DAY_MS);
  const thursday = new Date((day - (date.getUTCDay() + 6) % 7 + 3) * DAY_MS);
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.floor((thursday.getTime() - newYear) / (7 * DAY_MS)) + 1;
}
