import {
  lostOf,
  type MissedRuns,
  OUTCOMES,
  PLACES_MAX,
  type PlaceTally,
  TABLE_KIND,
  tableSource,
  type Tally,
} from "../../common/wire/mod.ts";
import type { TierTally } from "../../common/wire/tier_tally.ts";
import { combinedTier } from "../enforce/tier_counts.ts";
import type { ProgramRow, StatsRow } from "../sensors/sensor.ts";

/** What a sensor counts since it was opened, told as what is new since the last time. */
export class TallyBook {
  #told = new Map<number, Tally>();
  /** By kind and source, of places; a source is a u16. */
  readonly #placesTold = new Map<string, PlaceTally>();
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
   * Where something was lost since the last call, and what the tables were asked to hold.
   *
   * @param rows Counters, one row a kind and source, and those of tables.
   * @returns Tables first, each of all CPUs together, then what lost most, at most
   * {@linkcode PLACES_MAX}; the rest comes with the next call.
   */
  takePlaces(rows: readonly StatsRow[]): readonly PlaceTally[] {
    const now = placesOf(rows);
    const fresh = [...now].map(([key, row]) => {
      const told = this.#placesTold.get(key);
      return { key, row: told === undefined ? row : placed(row, { row: told, sign: -1 }) };
    });
    const taken = fresh
      .filter(({ row }) => row.kind === TABLE_KIND ? row.seen > 0 : lostOf(row) > 0)
      .sort((a, b) => rank(a.row) - rank(b.row) || lostOf(b.row) - lostOf(a.row))
      .slice(0, PLACES_MAX);
    for (const { key } of taken) {
      const told = now.get(key);
      if (told !== undefined) this.#placesTold.set(key, told);
    }
    return taken.map(({ row }) => row);
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

/** Every kind at each CPU, or part of user space, and each table of all CPUs together. */
function placesOf(rows: readonly StatsRow[]): Map<string, PlaceTally> {
  const places = new Map<string, PlaceTally>();
  for (const row of rows) {
    const source = row.kind === TABLE_KIND ? tableSource(row.source) : row.source;
    const key = `${row.kind} ${source}`;
    const place = { ...combined(undefined, { row, sign: 1 }), source };
    const known = places.get(key);
    places.set(key, known === undefined ? place : placed(known, { row: place, sign: 1 }));
  }
  return places;
}

function placed(
  before: PlaceTally,
  change: { readonly row: PlaceTally; readonly sign: 1 | -1 },
): PlaceTally {
  return { ...combined(before, change), source: before.source };
}

function rank({ kind }: Tally): number {
  return kind === TABLE_KIND ? 0 : 1;
}
