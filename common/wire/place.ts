import { SOURCE_BULK, SOURCE_RATES, SOURCES } from "../record/values.ts";

/** Kind of the rows that count a table's entries, and no records. */
export const TABLE_KIND = 0;

/** First source of what is made in user space. */
const SOURCE_MADE = 0xF000;

/** Tables of a sensor by the first of their sources. */
const TABLES: ReadonlyMap<number, string> = new Map([
  [0, "processes"],
  [SOURCE_BULK, "connections"],
  [SOURCE_RATES, "rates"],
  [SOURCES.watch, "quiet_neighbours"],
  [SOURCES.hash, "hashes"],
  [SOURCES.hash_apart, "hashes_served"],
  [SOURCES.hash_still, "hashes_given_up"],
]);

const MADE: ReadonlyMap<number, string> = new Map(
  Object.entries(SOURCES).map(([name, source]) => [source, name]),
);

/** Where something was counted. */
export interface Place {
  /** CPU of a hook; `null` for what is made in user space, and for tables, which all CPUs share. */
  readonly cpu: number | null;
  /** Name of the table, or of the part that makes such records in user space; `null` for a CPU. */
  readonly part: string | null;
}

/**
 * The source under which all rows of one table are counted together.
 *
 * @param source Of a row of kind {@linkcode TABLE_KIND}.
 */
export function tableSource(source: number): number {
  if (source >= SOURCE_MADE) return source;
  if (source >= SOURCE_RATES) return SOURCE_RATES;
  return source >= SOURCE_BULK ? SOURCE_BULK : 0;
}

/**
 * Name of a table.
 *
 * @param source Of a row of kind {@linkcode TABLE_KIND}.
 */
export function tableName(source: number): string {
  return TABLES.get(tableSource(source)) ?? "other";
}

/**
 * Where a row was counted.
 *
 * @param row Its kind and source, as in records.
 */
export function placeOf({ kind, source }: {
  readonly kind: number;
  readonly source: number;
}): Place {
  if (kind === TABLE_KIND) return { cpu: null, part: tableName(source) };
  if (source >= SOURCE_MADE) return { cpu: null, part: MADE.get(source) ?? "other" };
  if (source >= SOURCE_RATES) return { cpu: null, part: "other" };
  return { cpu: source % SOURCE_BULK, part: null };
}
