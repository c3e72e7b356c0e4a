import type { DatabaseSync } from "node:sqlite";
import type { MissedRuns } from "../../common/wire/mod.ts";
import { byAgent, integer, text } from "./rows.ts";

/** Programs of one agent that are kept; an agent names any, its sensor has fewer. */
export const PROGRAMS_MAX = 64;

/** Runs that were missed, or times that a program was not attached. */
export type ProgramTable = "missed_runs" | "detached_programs";

/** Adds up what is counted of the programs of the agents' sensors. */
export class ProgramRows {
  readonly #sql: ReturnType<typeof statements>;

  /**
   * @param database Open, of this version's schema.
   * @param table What is counted there.
   */
  constructor(database: DatabaseSync, table: ProgramTable) {
    this.#sql = statements(database, table);
  }

  /**
   * Adds what was counted since a sensor last said so.
   *
   * @param rows A row a program.
   * @param whose `agent`: row of the agent.
   */
  add(rows: readonly MissedRuns[], { agent }: { readonly agent: number }): void {
    for (const { program, count } of rows) {
      if (this.#sql.add.run(count, agent, program).changes > 0) continue;
      if (integer(this.#sql.programs.get(agent), "programs") >= PROGRAMS_MAX) continue;
      this.#sql.begin.run(agent, program, count);
    }
  }
}

/**
 * What was counted of the programs of the agents' sensors.
 *
 * @param database Open, of this version's schema.
 * @param table What is counted there.
 * @returns By row of the agent.
 */
export function readPrograms(
  database: DatabaseSync,
  table: ProgramTable,
): ReadonlyMap<number, readonly MissedRuns[]> {
  const rows = database.prepare(`SELECT * FROM ${table} ORDER BY program`).all();
  return byAgent(rows, (row) => ({ program: text(row, "program"), count: integer(row, "count") }));
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync, table: ProgramTable) {
  return {
    // An agent names any count: the sum stops where a number is no longer exact.
    add: database.prepare(
      `UPDATE ${table} SET count = min(count + ?, ${Number.MAX_SAFE_INTEGER})
      WHERE agent = ? AND program = ?`,
    ),
    programs: database.prepare(`SELECT count(*) AS programs FROM ${table} WHERE agent = ?`),
    begin: database.prepare(`INSERT INTO ${table} (agent, program, count) VALUES (?, ?, ?)`),
  };
}
