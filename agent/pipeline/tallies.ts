import { type MissedRuns, OUTCOMES, type Tally } from "../../common/wire/mod.ts";
import type { TierTally } from "../../common/wire/tier_tally.ts";
import { combinedTier } from "../enforce/tier_counts.ts";
import type { ProgramRow, StatsRow } from "../sensors/sensor.ts";

/** What a sensor counts since it was opened, told as what is new since the last time. */
export class TallyBook {
  #told = new Map<number, Tally>();
  #missedTold = new Map<string, number>();

  /**
   * What was counted since the last call, of all CPUs together.
   *
   * @param rows Counters, one row a kind and source.
   * @returns A row a kind that counted anything, in the order of the kinds' numbers.
   */
  take(rows: readonly StatsRow[]): readonly Tally[] {
    const now = new Map<number, Tally>();
    for (const row of rows) now.set(row.kind, combined(now.get(row.kind), { row, sign: 1 }));
    const fresh = [...now.values()].map((row): Tally => {
      const told = this.#told.get(row.kind);
      return told === undefined ? row : combined(row, { row: told, sign: -1 });
    });
    this.#told = now;
    return fresh.filter(({ seen }) => seen > 0).sort((a, b) => a.kind - b.kind);
  }

  /**
   * Runs that programs missed since the last call.
   *
   * @param programs What the kernel counts of each.
   */
  takeMissed(programs: readonly ProgramRow[]): readonly MissedRuns[] {
    const fresh = programs.map(({ name, missed }): MissedRuns => ({
      program: name,
      count: missed - (this.#missedTold.get(name) ?? 0),
    }));
    this.#missedTold = new Map(programs.map(({ name, missed }) => [name, missed]));
    return fresh.filter(({ count }) => count > 0);
  }
}

/** What tiers of enforcement count, told as what is new since the last time. */
export class TierBook {
  readonly #told = new Map<string, TierTally>();

  /**
   * What each tier in force did since it was last told, nothing too: that it is in force is told.
   *
   * @param rows Counts since the agent began.
   */
  take(rows: readonly TierTally[]): readonly TierTally[] {
    return rows.map((row) => {
      const told = this.#told.get(row.tier);
      this.#told.set(row.tier, row);
      return told === undefined ? row : combinedTier(row, { row: told, sign: -1 });
    });
  }
}

function combined(
  before: Tally | undefined,
  { row, sign }: {
    readonly row: Omit<Tally, "kind"> & { readonly kind: number };
    readonly sign: 1 | -1;
  },
): Tally {
  const counts = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, (before?.[outcome] ?? 0) + sign * row[outcome]]),
  ) as Record<(typeof OUTCOMES)[number], number>;
  return { kind: row.kind, seen: (before?.seen ?? 0) + sign * row.seen, ...counts };
}
