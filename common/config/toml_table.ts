/**
 * Tells whether a value of TOML is a table (no list, no date).
 *
 * @param value Any value of TOML.
 */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}
