import type { DatabaseSync } from "node:sqlite";
import { kindName } from "../../common/record/mod.ts";
import type { MissedRuns, PlaceTally, Tally } from "../../common/wire/mod.ts";
import { PlaceRows } from "./place_rows.ts";
import { ProgramRows } from "./program_rows.ts";
import { integer } from "./rows.ts";
import { TALLY_COLUMNS, TALLY_SUMS, tallyOf, tallyValues } from "./tally_columns.ts";

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

/** Of an agent whose sensor has told nothing. */
export const NOTHING_COUNTED: SensorTallies = { tallies: [], places: [], missed: [], detached: [] };

/** Sums of what the agents' sensors counted. */
export class TallyRows {
  readonly #database: DatabaseSync;
  readonly #add: ReturnType<DatabaseSync["prepare"]>;
  readonly #places: PlaceRows;
  readonly #missed: ProgramRows;
  readonly #detached: ProgramRows;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#places = new PlaceRows(database);
    this.#missed = new ProgramRows(database, "missed_runs");
    this.#detached = new ProgramRows(database, "detached_programs");
    this.#add = database.prepare(
      `INSERT INTO tallies (agent, kind, ${TALLY_COLUMNS.join(", ")})
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${TALLY_SUMS}`,
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

  /** By row of the agent. */
  all(): ReadonlyMap<number, SensorTallies> {
    const all = new Map<number, SensorTallies>();
    const put = (agent: number, part: Partial<SensorTallies>): void => {
      all.set(agent, { ...NOTHING_COUNTED, ...all.get(agent), ...part });
    };
    for (const row of this.#database.prepare("SELECT * FROM tallies ORDER BY kind").all()) {
      const agent = integer(row, "agent");
      const tally = { kind: integer(row, "kind"), ...tallyOf(row) };
      put(agent, { tallies: [...all.get(agent)?.tallies ?? [], tally] });
    }
    for (const [agent, places] of this.#places.all()) put(agent, { places });
    for (const [agent, missed] of this.#missed.all()) put(agent, { missed });
    for (const [agent, detached] of this.#detached.all()) put(agent, { detached });
    return all;
  }
}
