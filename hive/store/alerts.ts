import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { ExtractedAlert } from "./extract.ts";
import { integer, text } from "./rows.ts";
import {
  type AlertPage,
  type AlertQuery,
  ALERTS_PER_PAGE_MAX,
  type FedAlert,
  type FeedQuery,
} from "./store.ts";
import { checkLimit } from "./limit.ts";

const INSERT = `INSERT INTO alerts (id, block, time_ms, severity, rule_id, rule_title, host_id, pid,
  entity_id, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
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
  add(found: ExtractedAlert, { block }: { readonly block: number }): void {
    const { changes } = this.#sql.add.run(...columns(found, block));
    if (Number(changes) > 0) this.#count(found);
  }

  /**
   * Adds an alert of the hive's own; one that is there already stays. Agents choose the ids of
   * theirs: one that took this id has to go.
   *
   * @param found The alert.
   * @returns True when it is new.
   */
  raise(found: ExtractedAlert): boolean {
    const { changes } = this.#sql.raise.run(...columns(found, null));
    if (Number(changes) === 0) return false;
    this.#count(found);
    return true;
  }

  /**
   * Alerts of agents in the order of their coming.
   *
   * @param query Which ones.
   * @throws {ImmuneError} `INPUT_MALFORMED` for a limit that is none.
   */
  feed({ after, limit }: FeedQuery): readonly FedAlert[] {
    checkLimit(limit, { max: ALERTS_PER_PAGE_MAX, of: "alerts" });
    return this.#sql.feed.all(after, limit).map((row) => ({
      number: integer(row, "number"),
      alert: JSON.parse(text(row, "document")) as Alert,
    }));
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

  #count({ timeMs, alert }: ExtractedAlert): void {
    this.#sql.count.run(Math.floor(timeMs / DAY_MS), alert.severity);
  }
}

function columns(
  { alert, timeMs, document }: ExtractedAlert,
  block: number | null,
): (string | number | null)[] {
  return [
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
  ];
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
    add: database.prepare(`${INSERT} ON CONFLICT (id) DO NOTHING`),
    raise: database.prepare(
      `${INSERT} ON CONFLICT (id) DO UPDATE SET block = NULL, time_ms = excluded.time_ms,
        severity = excluded.severity, rule_id = excluded.rule_id, rule_title = excluded.rule_title,
        host_id = excluded.host_id, pid = excluded.pid, entity_id = excluded.entity_id,
        document = excluded.document WHERE block IS NOT NULL`,
    ),
    feed: database.prepare(
      `SELECT number, document FROM alerts WHERE number > ? AND block IS NOT NULL
      ORDER BY number LIMIT ?`,
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
