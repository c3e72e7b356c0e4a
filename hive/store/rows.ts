import type { SQLOutputValue } from "node:sqlite";

/** A row as SQLite gives it; `undefined` where there is none. */
export type Row = Record<string, SQLOutputValue> | undefined;

/**
 * Rows by the agent that they are of, in their order.
 *
 * @param rows Rows with the column `agent`.
 * @param read Reads one of them.
 * @returns By row of the agent.
 */
export function byAgent<Read>(
  rows: readonly NonNullable<Row>[],
  read: (row: NonNullable<Row>) => Read,
): ReadonlyMap<number, readonly Read[]> {
  const all = new Map<number, Read[]>();
  for (const row of rows) {
    const agent = integer(row, "agent");
    const known = all.get(agent);
    if (known === undefined) all.set(agent, [read(row)]);
    else known.push(read(row));
  }
  return all;
}

/**
 * A column that holds a whole number.
 *
 * @param row A row.
 * @param name Name of the column.
 */
export function integer(row: Row, name: string): number {
  const value = row?.[name];
  if (typeof value !== "number") throw new TypeError(`Column "${name}" holds no number`);
  return value;
}

/**
 * A column that holds a whole number or nothing.
 *
 * @param row A row.
 * @param name Name of the column.
 */
export function integerOrNull(row: Row, name: string): number | null {
  return row?.[name] === null ? null : integer(row, name);
}

/**
 * A column that holds a number.
 *
 * @param row A row.
 * @param name Name of the column.
 */
export function real(row: Row, name: string): number {
  return integer(row, name);
}

/**
 * A column that holds text.
 *
 * @param row A row.
 * @param name Name of the column.
 */
export function text(row: Row, name: string): string {
  const value = row?.[name];
  if (typeof value !== "string") throw new TypeError(`Column "${name}" holds no text`);
  return value;
}

/**
 * A column that holds bytes.
 *
 * @param row A row.
 * @param name Name of the column.
 */
export function blob(row: Row, name: string): Uint8Array<ArrayBuffer> {
  const value = row?.[name];
  if (!(value instanceof Uint8Array)) throw new TypeError(`Column "${name}" holds no bytes`);
  return value as Uint8Array<ArrayBuffer>;
}
