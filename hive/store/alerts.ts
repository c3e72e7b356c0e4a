import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { ExtractedAlert } from "./extract.ts";
import { integer, text } from "./rows.ts";
import { type AlertPage, type AlertQuery, ALERTS_PER_PAGE_MAX } from "./store.ts";
import { checkLimit } from "./limit.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Alerts: a row each, and their number by day and severity. */
export class AlertRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Adds an alert; one that is there already stays as it is and is counted once.
   *
   * @param found The alert.
   * @param place `block`: row of the block that it came in.
   */
  add({ alert, timeMs, document }: ExtractedAlert, { block }: { readonly block: number }): void {
    const { changes } = this.#sql.add.run(
      alert.id,
      block,
      timeMs,
      alert.severity,
      alert.rule.id,
      alert.rule.title,
      alert.host.id,
      alert.process?.pid ?? null,
      alert.process?.entity_id ?? null,
      document,
    );
    if (Number(changes) > 0) this.#sql.count.run(Math.floor(timeMs / DAY_MS), alert.severity);
  }

  /**
   * A page of alerts, newest first.
   *
   * @param query Which ones.
   * @throws {ImmuneError} `INPUT_MALFORMED` for a cursor or limit that is none.
   */
  page(query: AlertQuery): AlertPage {
    checkLimit(query.limit, { max: ALERTS_PER_PAGE_MAX, of: "alerts" });
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const where = (condition: string, ...bound: readonly (string | number)[]): void => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (query.sinceMs !== undefined) where("time_ms >= ?", query.sinceMs);
    if (query.severity !== undefined) where("severity = ?", query.severity);
    if (query.hostId !== undefined) where("host_id = ?", query.hostId);
    if (query.before !== undefined) where("(time_ms, number) < (?, ?)", ...cursor(query.before));
    const rows = this.#database.prepare(
      `SELECT time_ms, number, document FROM alerts
      ${conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : ""}
      ORDER BY time_ms DESC, number DESC LIMIT ?`,
    ).all(...values, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    const more = rows.length > shown.length && last !== undefined;
    return {
      alerts: shown.map((row) => JSON.parse(text(row, "document")) as Alert),
      next: more ? `${integer(last, "time_ms")}_${integer(last, "number")}` : null,
    };
  }

  /**
   * One alert.
   *
   * @param id Its id.
   */
  get(id: string): Alert | undefined {
    const row = this.#sql.get.get(id);
    return row === undefined ? undefined : JSON.parse(text(row, "document")) as Alert;
  }

  /**
   * How many there are of each severity.
   *
   * @param nowMs Unix time in milliseconds, which says what day it is.
   */
  counts(nowMs: number): { bySeverity: Record<string, number>; today: number } {
    const day = Math.floor(nowMs / DAY_MS);
    const bySeverity: Record<string, number> = {};
    let today = 0;
    for (const row of this.#sql.counts.all(day)) {
      bySeverity[text(row, "severity")] = integer(row, "count");
      today += integer(row, "today");
    }
    return { bySeverity, today };
  }
}

function cursor(given: string): [timeMs: number, number: number] {
  const found = /^(-?\d{1,15})_(\d{1,15})$/.exec(given);
  if (found === null) {
    throw new ImmuneError("INPUT_MALFORMED", `Cannot list alerts: "${given}" is no cursor`);
  }
  return [Number(found[1]), Number(found[2])];
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    add: database.prepare(
      `INSERT INTO alerts (id, block, time_ms, severity, rule_id, rule_title, host_id, pid,
        entity_id, document)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    ),
    count: database.prepare(
      `INSERT INTO alert_days (day, severity, count) VALUES (?, ?, 1)
      ON CONFLICT DO UPDATE SET count = count + 1`,
    ),
    get: database.prepare("SELECT document FROM alerts WHERE id = ?"),
    counts: database.prepare(
      `SELECT severity, sum(count) AS count, sum(iif(day = ?, count, 0)) AS today
      FROM alert_days GROUP BY severity`,
    ),
  };
}
