import type { DatabaseSync } from "node:sqlite";
import { kindName } from "../../common/record/mod.ts";
import { type PlaceTally, TABLE_KIND, tableName, tableSource } from "../../common/wire/mod.ts";
import { byAgent, integer } from "./rows.ts";
import { TALLY_COLUMNS, TALLY_MARKS, TALLY_SUMS, tallyOf, tallyValues } from "./tally_columns.ts";

/** Places of one agent that are kept, by kind: its CPUs that lost any; beside them its tables. */
export const PLACES_KEPT_MAX = 1024;
/** Source of all tables that this version does not know; no sensor has it. */
const OTHER_TABLE = 0xFFFF;

/** Adds up what was counted where something was lost, and of the sensors' tables. */
export class PlaceRows {
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#sql = statements(database);
  }

  /**
   * Adds what was counted since a sensor last said so.
   *
   * @param places Tables, all of which are kept, those that this version does not know as one; and
   * places of kinds that it knows: the sums by kind have the others, and those over
   * {@linkcode PLACES_KEPT_MAX}.
   * @param whose `agent`: row of the agent.
   */
  add(places: readonly PlaceTally[], { agent }: { readonly agent: number }): void {
    for (const row of places) {
      if (row.kind === TABLE_KIND) {
        this.#sql.add.run(agent, TABLE_KIND, tableOf(row), ...tallyValues(row));
      } else if (kindName(row.kind) !== undefined && this.#hasRoom(row, agent)) {
        this.#sql.add.run(agent, row.kind, row.source, ...tallyValues(row));
      }
    }
  }

  #hasRoom({ kind, source }: PlaceTally, agent: number): boolean {
    return this.#sql.known.get(agent, kind, source) !== undefined ||
      integer(this.#sql.places.get(agent, TABLE_KIND), "places") < PLACES_KEPT_MAX;
  }
}

/**
 * What was counted where something was lost, and of tables.
 *
 * @param database Open, of this version's schema.
 * @returns By row of the agent.
 */
export function readPlaces(database: DatabaseSync): ReadonlyMap<number, readonly PlaceTally[]> {
  const rows = database.prepare("SELECT * FROM place_tallies ORDER BY kind, source").all();
  return byAgent(rows, (row) => ({
    kind: integer(row, "kind"),
    source: integer(row, "source"),
    ...tallyOf(row),
  }));
}

function tableOf({ source }: PlaceTally): number {
  return tableName(source) === tableName(OTHER_TABLE) ? OTHER_TABLE : tableSource(source);
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    known: database.prepare(
      "SELECT 1 FROM place_tallies WHERE agent = ? AND kind = ? AND source = ?",
    ),
    places: database.prepare(
      "SELECT count(*) AS places FROM place_tallies WHERE agent = ? AND kind <> ?",
    ),
    add: database.prepare(
      `INSERT INTO place_tallies (agent, kind, source, ${TALLY_COLUMNS.join(", ")})
      VALUES (?, ?, ?, ${TALLY_MARKS}) ON CONFLICT DO UPDATE SET ${TALLY_SUMS}`,
    ),
  };
}
