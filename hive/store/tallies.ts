import type { DatabaseSync } from "node:sqlite";
import { kindName } from "../../common/record/mod.ts";
import type { MissedRuns, Tally } from "../../common/wire/mod.ts";
import { integer, text } from "./rows.ts";

/** Programs of one agent that are kept; an agent names any, its sensor has fewer. */
export const PROGRAMS_MAX = 64;
/** Stands for kinds that this version does not know. */
const OTHER_KIND = 0;

/** What one agent's sensor has counted since it enrolled. */
export interface SensorTallies {
  /** A row a kind; kind 0 are those that this version does not know. */
  readonly tallies: readonly Tally[];
  readonly missed: readonly MissedRuns[];
}

/** Sums of what the agents' sensors counted. */
export class TallyRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Adds what a sensor counted since it last said so.
   *
   * @param counted Its counts.
   * @param whose `agent`: row of the agent.
   */
  add({ tallies, missed }: SensorTallies, { agent }: { readonly agent: number }): void {
    for (const row of tallies) {
      const kind = kindName(row.kind) === undefined ? OTHER_KIND : row.kind;
      this.#sql.add.run(
        agent,
        kind,
        row.seen,
        row.submitted,
        row.filtered,
        row.folded,
        row.ringFull,
        row.oversized,
        row.unreadable,
      );
    }
    for (const { program, count } of missed) {
      if (this.#sql.addMissed.run(count, agent, program).changes > 0) continue;
      if (integer(this.#sql.programs.get(agent), "programs") >= PROGRAMS_MAX) continue;
      this.#sql.newMissed.run(agent, program, count);
    }
  }

  /** By row of the agent. */
  all(): ReadonlyMap<number, SensorTallies> {
    const all = new Map<number, { tallies: Tally[]; missed: MissedRuns[] }>();
    const of = (agent: number): { tallies: Tally[]; missed: MissedRuns[] } => {
      const known = all.get(agent) ?? { tallies: [], missed: [] };
      all.set(agent, known);
      return known;
    };
    for (const row of this.#database.prepare("SELECT * FROM tallies ORDER BY kind").all()) {
      of(integer(row, "agent")).tallies.push({
        kind: integer(row, "kind"),
        seen: integer(row, "seen"),
        submitted: integer(row, "submitted"),
        filtered: integer(row, "filtered"),
        folded: integer(row, "folded"),
        ringFull: integer(row, "ring_full"),
        oversized: integer(row, "oversized"),
        unreadable: integer(row, "unreadable"),
      });
    }
    for (const row of this.#database.prepare("SELECT * FROM missed_runs ORDER BY program").all()) {
      of(integer(row, "agent")).missed.push({
        program: text(row, "program"),
        count: integer(row, "count"),
      });
    }
    return all;
  }
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  // An agent names any count: the sum stops where a number is no longer exact.
  const sum = (column: string): string =>
    `${column} = min(${column} + excluded.${column}, ${Number.MAX_SAFE_INTEGER})`;
  const counts = [
    "seen",
    "submitted",
    "filtered",
    "folded",
    "ring_full",
    "oversized",
    "unreadable",
  ];
  return {
    add: database.prepare(
      `INSERT INTO tallies (agent, kind, ${counts.join(", ")}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET ${counts.map(sum).join(", ")}`,
    ),
    addMissed: database.prepare(
      `UPDATE missed_runs SET count = min(count + ?, ${Number.MAX_SAFE_INTEGER})
      WHERE agent = ? AND program = ?`,
    ),
    programs: database.prepare("SELECT count(*) AS programs FROM missed_runs WHERE agent = ?"),
    newMissed: database.prepare(
      "INSERT INTO missed_runs (agent, program, count) VALUES (?, ?, ?)",
    ),
  };
}
