import { type Loss, LOSS_CAUSES, TABLE_KIND } from "../../common/wire/mod.ts";
import type { ProgramRow, StatsRow } from "../sensors/sensor.ts";

/** Says how many records of a source are missing by their sequences. */
export interface MissingRecords {
  missing(source: number, last?: number): number;
}

const CAUSES = [
  ["ringFull", LOSS_CAUSES.ring_full],
  ["oversized", LOSS_CAUSES.oversized],
  ["unreadable", LOSS_CAUSES.unreadable],
] as const;

/**
 * Turns the sensor's counters and the gaps in the sequences into a ledger: each lost record stands
 * in it once, under the cause that the sensor counted, or as a gap that no counter explains.
 */
export class LossLedger {
  readonly #reported = new Map<string, number>();
  /** What no counter explained at the last call, by source. */
  readonly #unexplained = new Map<number, number>();

  /**
   * What was lost since the last call. A gap is one once two calls in a row found it: a record may
   * come behind one that was given its number later.
   *
   * @param rows Counters since the sensor was opened, one row a kind and source.
   * @param gaps Gaps in the sequences received so far.
   * @param options `isLast`: nothing comes any more, so a gap is one at once. Default false.
   * @returns Entries for the next batch; empty when nothing is new.
   */
  reconcile(
    rows: readonly StatsRow[],
    gaps: MissingRecords,
    { isLast = false }: { readonly isLast?: boolean } = {},
  ): Loss[] {
    const losses: Loss[] = [];
    const explained = new Map<number, number>();
    for (const row of rows) {
      // What a table was asked to hold took no number: it explains no gap of its source's records.
      if (row.kind === TABLE_KIND) continue;
      for (const [counter, cause] of CAUSES) {
        const count = row[counter];
        explained.set(row.source, (explained.get(row.source) ?? 0) + count);
        this.#report(losses, { cause, kind: row.kind, source: row.source, count });
      }
    }
    for (const [source, count] of explained) {
      // Records still in the ring are not missing: only what lies below the newest one counts.
      const unexplained = Math.max(0, gaps.missing(source) - count);
      const before = isLast ? unexplained : this.#unexplained.get(source) ?? 0;
      this.#unexplained.set(source, unexplained);
      this.#report(losses, {
        cause: LOSS_CAUSES.sequence_gap,
        kind: 0,
        source,
        count: Math.min(unexplained, before),
      });
    }
    return losses;
  }

  /**
   * Calls of programs that the kernel left out since the last call. What they would have told is not
   * known: at least so many records are missing.
   *
   * @param programs Counts since the sensor was opened.
   * @returns Entries for the next batch.
   */
  reconcilePrograms(programs: readonly ProgramRow[]): Loss[] {
    const losses: Loss[] = [];
    const count = programs.reduce((sum, { missed }) => sum + missed, 0);
    this.#report(losses, {
      cause: LOSS_CAUSES.program_missed,
      kind: 0,
      source: 0,
      count,
      certain: false,
    });
    return losses;
  }

  /** All that was reported so far, in records. */
  get total(): number {
    let sum = 0;
    for (const count of this.#reported.values()) sum += count;
    return sum;
  }

  #report(
    losses: Loss[],
    entry: {
      readonly cause: number;
      readonly kind: number;
      readonly source: number;
      readonly count: number;
      /** Default true. */
      readonly certain?: boolean;
    },
  ): void {
    const key = `${entry.cause} ${entry.kind} ${entry.source}`;
    const before = this.#reported.get(key) ?? 0;
    if (entry.count <= before) return;
    this.#reported.set(key, entry.count);
    losses.push({ certain: true, ...entry, count: entry.count - before, first: 0 });
  }
}
