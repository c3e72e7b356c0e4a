/** Unix times of so many digits are milliseconds. */
const MS_DIGITS_MIN = 12;

/**
 * Reads a time as feeds write it.
 *
 * @param value RFC 3339; date and time with a space, UTC where no offset is given; a date; Unix
 * seconds, or milliseconds from 12 digits on.
 * @returns Unix time in milliseconds, or `undefined` when it is none.
 */
export function parseTime(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text.length > 64) return undefined;
  const plain = text.trim();
  if (/^\d{9,14}$/.test(plain)) {
    return plain.length >= MS_DIGITS_MIN ? Number(plain) : Number(plain) * 1000;
  }
  const [, date, time, zone] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(
      plain,
    ) ?? [];
  if (date === undefined) return undefined;
  const offset = zone === undefined || /^(?:z|utc)$/i.test(zone) ? "Z" : zone;
  const at = Date.parse(`${date}T${time ?? "00:00:00"}${offset}`);
  return Number.isNaN(at) ? undefined : at;
}
