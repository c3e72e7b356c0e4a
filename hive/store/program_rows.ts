import type { DatabaseSync } from "node:sqlite";
import type { MissedRuns } from "../../common/wire/mod.ts";
import { integer, text } from "./rows.ts";

/** Programs of one agent that are kept; an agent names any, its sensor has fewer. */
export const PROGRAMS_MAX = 64;

/** Sums of what is counted of the programs of the agents' sensors. */
export class ProgramRows {
  readonly #database: DatabaseSync;
  readonly #table: string;
  readonly #sql: ReturnType<typeof statements>;

  /**
   * @param database Open, of this version's schema.
   * @param table What is counted there: runs that were missed, or times that it was not attached.
   */
  constructor(database: DatabaseSync, table: "missed_runs" | "detached_programs") {
    this.#database = database;
    this.#table = table;
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

  /** By row of the agent. */
  all(): ReadonlyMap<number, readonly MissedRuns[]> {
    const all = new Map<number, MissedRuns[]>();
    for (
      const row of this.#database.prepare(`SELECT * FROM ${this.#table} ORDER BY program`).all()
    ) {
      const agent = integer(row, "agent");
      const known = all.get(agent) ?? [];
      known.push({ program: text(row, "program"), count: integer(row, "count") });
      all.set(agent, known);
    }
    return all;
  }
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync, table: string) {
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
