import type { DatabaseSync } from "node:sqlite";
import { type Health, SCAN_CLASSES } from "../../common/wire/health.ts";
import { integer } from "./rows.ts";
import type { ScanTotals } from "./store.ts";

const SCAN_TIME = "scan_time_ns";

/** What agents say of themselves: the rules in force of each, and the time of all their scans. */
export class HealthRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Adds a health record.
   *
   * @param health Its figures.
   * @param whose `agent`: row of the agent.
   */
  add(health: Health, { agent }: { readonly agent: number }): void {
    this.#sql.setRules.run(health.rules, health.ruleSet, agent);
    this.#sql.add.run(SCAN_TIME, health.scanTimeNs);
    health.scans.forEach((scans, i) => {
      if (scans > 0) this.#sql.add.run(className(i), scans);
    });
  }

  /** Scans of all agents since the store was made. */
  totals(): ScanTotals {
    const rows = this.#database.prepare("SELECT name, amount FROM scan_totals").all();
    const byName = new Map(rows.map((row) => [row["name"], integer(row, "amount")]));
    return {
      timeNs: byName.get(SCAN_TIME) ?? 0,
      scans: Array.from({ length: SCAN_CLASSES }, (_, i) => byName.get(className(i)) ?? 0),
    };
  }
}

function className(index: number): string {
  return `scans_${index}`;
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    setRules: database.prepare("UPDATE agents SET rules = ?, rule_set = ? WHERE number = ?"),
    // An agent names any count: the sum stops where a number is no longer exact.
    add: database.prepare(
      `INSERT INTO scan_totals (name, amount) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET amount = min(amount + excluded.amount, ${Number.MAX_SAFE_INTEGER})`,
    ),
  };
}
