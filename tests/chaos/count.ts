import { decodeRecords, SOURCES } from "../../common/record/mod.ts";
import { decodeBatch } from "../../common/wire/mod.ts";
import { SqliteStore, type StoredBlock } from "../../hive/store/mod.ts";
import type { Line } from "./child.ts";

/** What a run came to, in records. */
export interface Count {
  /** In batches written to the journal. */
  readonly made: number;
  /** Acknowledged by the hive, as the agent heard it. */
  readonly acked: number;
  /** In the hive's store, by its own count. */
  readonly stored: number;
  /** Stored more than once, by position or by the number that each record carries. */
  readonly duplicate: number;
  /** Made and not stored, or said to be written and not stored. */
  readonly lost: number;
}

/** Blocks of the store that are read at once. */
const BLOCKS = 200;

/**
 * Holds what the agent said against every record in the hive's store.
 *
 * @param path The store's file; no hive has it open.
 * @param lines All that the agent's runs printed; the last one ended with `drained`.
 * @returns The figures.
 */
export async function count(path: string, lines: readonly Line[]): Promise<Count> {
  const { last, acknowledged } = field<{ last: number; acknowledged: number }>(lines, "drained");
  // Positions of batches that a kill cut in the middle: they were never in a whole batch.
  const cut = lines.reduce(
    (sum, line) =>
      sum + ((line["opened"] as { lostRecords: number } | undefined)?.lostRecords ?? 0),
    0,
  );
  const made = last - cut;
  const store = new SqliteStore(path);
  const found = await positions(store);
  const ledgers = await store.ledgers();
  await store.close();
  const missing = lines.flatMap((line) => {
    const { first, last } = line as { first?: number; last?: number };
    return first === undefined || last === undefined ? [] : range(first, last);
  }).filter((position) => !found.times.has(position)).length;
  return {
    made,
    acked: acknowledged - cut,
    stored: ledgers.reduce((sum, ledger) => sum + ledger.stored, 0),
    duplicate: found.duplicate,
    lost: Math.max(missing, made - found.times.size),
  };
}

async function positions(
  store: SqliteStore,
): Promise<{ readonly times: ReadonlyMap<number, number>; readonly duplicate: number }> {
  const times = new Map<number, number>();
  const keys = new Set<string>();
  let duplicate = 0;
  for await (const { bytes, from } of blocks(store)) {
    const { info, records } = decodeBatch(bytes);
    let position = info.first;
    for (const { source, sequence } of decodeRecords(records)) {
      const at = position++;
      if (at < from) continue;
      const key = `${info.epoch} ${source} ${sequence}`;
      // Context is told again in each segment, under the agent's own source.
      const again = source !== SOURCES.agent && keys.has(key);
      if (times.has(at) || again) duplicate++;
      times.set(at, (times.get(at) ?? 0) + 1);
      keys.add(key);
    }
  }
  return { times, duplicate };
}

async function* blocks(store: SqliteStore): AsyncGenerator<StoredBlock> {
  let before: number | undefined;
  for (;;) {
    const page = await store.blocks({ limit: BLOCKS, ...(before === undefined ? {} : { before }) });
    yield* page;
    const end = page.at(-1);
    if (end === undefined) return;
    before = end.id;
  }
}

function field<T>(lines: readonly Line[], name: string): T {
  const line = lines.findLast((each) => name in each);
  if (line === undefined) throw new Error(`The agent printed no "${name}"`);
  return line[name] as T;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
