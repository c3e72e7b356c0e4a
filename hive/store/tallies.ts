import type { DatabaseSync } from "node:sqlite";
import { kindName } from "../../common/record/mod.ts";
import type { MissedRuns, PlaceTally, Tally } from "../../common/wire/mod.ts";
import { PlaceRows, readPlaces } from "./place_rows.ts";
import { ProgramRows, readPrograms } from "./program_rows.ts";
import { byAgent, integer } from "./rows.ts";
import { TALLY_COLUMNS, TALLY_MARKS, TALLY_SUMS, tallyOf, tallyValues } from "./tally_columns.ts";

/** Stands for kinds that this version does not know. */
const OTHER_KIND = 0;

/** What one agent's sensor has counted since it enrolled. */
export interface SensorTallies {
  /** A row a kind; kind 0 are those that this version does not know. */
  readonly tallies: readonly Tally[];
  /** CPUs that lost any, by kind; those of kind 0 are the sensor's tables. */
  readonly places: readonly PlaceTally[];
  readonly missed: readonly MissedRuns[];
  /** Programs that were found not attached. */
  readonly detached: readonly MissedRuns[];
}

/** Adds up what the agents' sensors counted. */
export class TallyRows {
  readonly #add: ReturnType<DatabaseSync["prepare"]>;
  readonly #places: PlaceRows;
  readonly #missed: ProgramRows;
  readonly #detached: ProgramRows;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#places = new PlaceRows(database);
    this.#missed = new ProgramRows(database, "missed_runs");
    this.#detached = new ProgramRows(database, "detached_programs");
    this.#add = database.prepare(
      `INSERT INTO tallies (agent, kind, ${TALLY_COLUMNS.join(", ")})
      VALUES (?, ?, ${TALLY_MARKS}) ON CONFLICT DO UPDATE SET ${TALLY_SUMS}`,
    );
  }

  /**
   * Adds what a sensor counted since it last said so.
   *
   * @param counted Its counts.
   * @param whose `agent`: row of the agent.
   */
  add(counted: SensorTallies, whose: { readonly agent: number }): void {
    for (const row of counted.tallies) {
      const kind = kindName(row.kind) === undefined ? OTHER_KIND : row.kind;
      this.#add.run(whose.agent, kind, ...tallyValues(row));
    }
    this.#places.add(counted.places, whose);
    this.#missed.add(counted.missed, whose);
    this.#detached.add(counted.detached, whose);
  }
}

/**
 * What the agents' sensors counted.
 *
 * @param database Open, of this version's schema.
 * @returns Gives it by row of the agent; of one whose sensor has told nothing, nothing.
 */
export function readTallies(database: DatabaseSync): (agent: number) => SensorTallies {
  const rows = database.prepare("SELECT * FROM tallies ORDER BY kind").all();
  const tallies = byAgent(rows, (row) => ({ kind: integer(row, "kind"), ...tallyOf(row) }));
  const places = readPlaces(database);
  const missed = readPrograms(database, "missed_runs");
  const detached = readPrograms(database, "detached_programs");
  return (agent) => ({
    tallies: tallies.get(agent) ?? [],
    places: places.get(agent) ?? [],
    missed: missed.get(agent) ?? [],
    detached: detached.get(agent) ?? [],
  });
}
