import type { DatabaseSync } from "node:sqlite";
import { kindName } from "../../common/record/mod.ts";
import { type PlaceTally, TABLE_KIND } from "../../common/wire/mod.ts";
import { integer } from "./rows.ts";
import { TALLY_COLUMNS, TALLY_SUMS, tallyOf, tallyValues } from "./tally_columns.ts";

/** Places of one agent that are kept: its CPUs that lost any, by kind, and its tables. */
export const PLACES_KEPT_MAX = 1024;

/** Sums of what was counted where something was lost, and of the sensors' tables. */
export class PlaceRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Adds what was counted since a sensor last said so.
   *
   * @param places Of kinds that this version knows; the sums by kind have the others, and those over
   * {@linkcode PLACES_KEPT_MAX}.
   * @param whose `agent`: row of the agent.
   */
  add(places: readonly PlaceTally[], { agent }: { readonly agent: number }): void {
    for (const row of places) {
      if (row.kind !== TABLE_KIND && kindName(row.kind) === undefined) continue;
      const key = [agent, row.kind, row.source] as const;
      if (this.#sql.known.get(...key) === undefined) {
        if (integer(this.#sql.places.get(agent), "places") >= PLACES_KEPT_MAX) continue;
      }
      this.#sql.add.run(...key, ...tallyValues(row));
    }
  }

  /** By row of the agent. */
  all(): ReadonlyMap<number, readonly PlaceTally[]> {
    const all = new Map<number, PlaceTally[]>();
    const rows = this.#database.prepare("SELECT * FROM place_tallies ORDER BY kind, source").all();
    for (const row of rows) {
      const agent = integer(row, "agent");
      const known = all.get(agent) ?? [];
      known.push({ kind: integer(row, "kind"), source: integer(row, "source"), ...tallyOf(row) });
      all.set(agent, known);
    }
    return all;
  }
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    known: database.prepare(
      "SELECT 1 FROM place_tallies WHERE agent = ? AND kind = ? AND source = ?",
    ),
    places: database.prepare("SELECT count(*) AS places FROM place_tallies WHERE agent = ?"),
    add: database.prepare(
      `INSERT INTO place_tallies (agent, kind, source, ${TALLY_COLUMNS.join(", ")})
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${TALLY_SUMS}`,
    ),
  };
}
