import type { DatabaseSync } from "node:sqlite";
import {
  type CanaryState,
  type DirectiveKind,
  type DirectiveResult,
  type DirectiveStream,
  EVERY_HOST,
  type RefusalCause,
  type ResultReport,
} from "../../common/wire/mod.ts";
import {
  type AgentOrders,
  type DirectiveFilter,
  type DirectiveOutcome,
  type DirectiveQuery,
  type DirectiveRow,
  DIRECTIVES_KEPT,
  DIRECTIVES_PER_ANSWER_MAX,
  type DirectiveSummary,
} from "./directive_store.ts";
import { checkLimit } from "./limit.ts";
import { blob, integer, integerOrNull, type Row, text } from "./rows.ts";
import { transaction } from "./transaction.ts";

/** What an agent says about orders. */
export interface AgentReport {
  readonly agentId: string;
  readonly report: ResultReport;
}

/** Directives, their numbers, and what agents said became of them. */
export class DirectiveRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Counts a stream up.
   *
   * @param stream Which one.
   */
  nextNumber(stream: DirectiveStream): number {
    return integer(this.#sql.count.get(stream), "last");
  }

  /**
   * Keeps a directive; the oldest go.
   *
   * @param row The directive.
   */
  add({ stream, number, kind, target, issuedMs, expiresMs, by, bytes }: DirectiveRow): void {
    transaction(this.#database, () => {
      if (kind === "antibodies") {
        this.#sql.dropResults.run(target);
        this.#sql.supersede.run(target);
      }
      this.#sql.add.run(stream, number, kind, target, issuedMs, expiresMs, by, bytes);
      this.#sql.drop.run(DIRECTIVES_KEPT);
    });
  }

  /**
   * What a host has not seen and still holds.
   *
   * @param query Host, its highest numbers, time.
   */
  unseen({ hostId, after, nowMs }: DirectiveQuery): readonly DirectiveRow[] {
    return this.#sql.unseen.all(
      after.directive,
      after.canary,
      after.stop,
      nowMs,
      EVERY_HOST,
      hostId,
      DIRECTIVES_PER_ANSWER_MAX,
    ).map((row) => ({ ...headOf(row), bytes: blob(row, "bytes") }));
  }

  /** What was ordered last of antibodies, of each target. */
  antibodies(): readonly DirectiveRow[] {
    return this.#sql.antibodies.all().map((row) => ({ ...headOf(row), bytes: blob(row, "bytes") }));
  }

  /**
   * The newest directives with counts of their results.
   *
   * @param limit At most this many.
   * @param of Which. Default: all.
   */
  list(limit: number, of: DirectiveFilter = {}): readonly DirectiveSummary[] {
    checkLimit(limit, { max: DIRECTIVES_PER_ANSWER_MAX, of: "directives" });
    const { stream = null, kind = null, number = null } = of;
    return this.#sql.list.all(stream, kind, number, limit).map((row) => ({
      ...headOf(row),
      results: {
        done: integer(row, "done"),
        failed: integer(row, "failed"),
        refused: integer(row, "refused"),
      },
    }));
  }

  /**
   * What became of one directive.
   *
   * @param stream Its stream.
   * @param number Its number.
   */
  outcomes(stream: DirectiveStream, number: number): readonly DirectiveOutcome[] {
    return this.#sql.outcomes.all(stream, number).map((row) => ({
      agentId: text(row, "id"),
      hostName: text(row, "host_name"),
      kind: text(row, "kind") as DirectiveKind,
      outcome: text(row, "outcome") as DirectiveResult["outcome"],
      cause: row["cause"] === null ? null : text(row, "cause") as RefusalCause,
      text: text(row, "found"),
      timeMs: integer(row, "time_ms"),
      heardMs: integer(row, "heard_ms"),
    }));
  }

  /**
   * Takes agents' reports, all of them or none. A result counts by its directive: what comes again
   * changes nothing.
   *
   * @param reports What agents say.
   * @param nowMs Unix time in milliseconds.
   */
  report(reports: readonly AgentReport[], nowMs: number): void {
    transaction(this.#database, () => {
      for (const { agentId, report } of reports) this.#report(agentId, { report, nowMs });
    });
  }

  #report(
    agentId: string,
    { report, nowMs }: { readonly report: ResultReport; readonly nowMs: number },
  ): void {
    for (const { stream, number, kind, outcome, cause, text: found, timeMs } of report.results) {
      this.#sql.result.run(stream, number, kind, outcome, cause, found, timeMs, nowMs, agentId);
    }
    const { stopped, canary, refused } = report;
    this.#sql.stand.run(stopped ? 1 : 0, canary, JSON.stringify(refused), nowMs, agentId);
  }

  /** How every agent stands to orders, in the order of enrolment. */
  agents(): readonly AgentOrders[] {
    return this.#sql.agents.all().map((row) => ({
      agentId: text(row, "id"),
      hostName: text(row, "host_name"),
      hostId: text(row, "host_id"),
      revoked: integer(row, "revoked") !== 0,
      stopped: integer(row, "stopped") !== 0,
      canary: text(row, "canary") as CanaryState,
      refused: JSON.parse(text(row, "refused")),
      heardMs: integerOrNull(row, "heard_ms"),
    }));
  }
}

function headOf(row: Row): Omit<DirectiveRow, "bytes"> {
  return {
    stream: text(row, "stream") as DirectiveStream,
    number: integer(row, "number"),
    kind: text(row, "kind") as DirectiveKind,
    target: text(row, "target"),
    issuedMs: integer(row, "issued_ms"),
    expiresMs: integer(row, "expires_ms"),
    by: text(row, "actor"),
  };
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  const head = "stream, number, kind, target, issued_ms, expires_ms, actor";
  const results = (outcome: string): string =>
    `(SELECT count(*) FROM directive_results r WHERE r.stream = d.stream AND r.number = d.number
      AND r.outcome = '${outcome}') AS ${outcome}`;
  return {
    count: database.prepare(
      `INSERT INTO directive_numbers (stream, last) VALUES (?, 1)
      ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last`,
    ),
    add: database.prepare(
      `INSERT INTO directives (${head}, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    // One of antibodies stays until the next of its target: there is one a host at most.
    drop: database.prepare(
      `DELETE FROM directives WHERE kind != 'antibodies' AND position <= (SELECT position
        FROM directives WHERE kind != 'antibodies' ORDER BY position DESC LIMIT 1 OFFSET ?)`,
    ),
    supersede: database.prepare(
      "DELETE FROM directives WHERE kind = 'antibodies' AND target = ?",
    ),
    dropResults: database.prepare(
      `DELETE FROM directive_results WHERE stream = 'directive' AND number IN
        (SELECT number FROM directives WHERE kind = 'antibodies' AND target = ?)`,
    ),
    antibodies: database.prepare(
      `SELECT ${head}, bytes FROM directives WHERE kind = 'antibodies' ORDER BY position`,
    ),
    unseen: database.prepare(
      `SELECT ${head}, bytes FROM directives
      WHERE number > CASE stream WHEN 'directive' THEN ? WHEN 'canary' THEN ? ELSE ? END
        AND expires_ms > ? AND target IN (?, ?)
      ORDER BY position LIMIT ?`,
    ),
    list: database.prepare(
      `SELECT ${head}, ${results("done")}, ${results("failed")}, ${results("refused")}
      FROM directives d WHERE stream != 'canary' AND stream = ifnull(?, stream)
        AND kind = ifnull(?, kind) AND number = ifnull(?, number)
      ORDER BY position DESC LIMIT ?`,
    ),
    outcomes: database.prepare(
      `SELECT id, host_name, kind, outcome, cause, found, time_ms, heard_ms
      FROM directive_results r JOIN agents ON agents.number = r.agent
      WHERE r.stream = ? AND r.number = ? ORDER BY host_name, id`,
    ),
    result: database.prepare(
      `INSERT OR IGNORE INTO directive_results
        (stream, number, kind, outcome, cause, found, time_ms, heard_ms, agent)
      SELECT ?, ?, ?, ?, ?, ?, ?, ?, agents.number FROM agents WHERE id = ?`,
    ),
    stand: database.prepare(
      `INSERT INTO agent_orders (stopped, canary, refused, heard_ms, agent)
      SELECT ?, ?, ?, ?, number FROM agents WHERE id = ?
      ON CONFLICT DO UPDATE SET stopped = excluded.stopped, canary = excluded.canary,
        refused = excluded.refused, heard_ms = excluded.heard_ms`,
    ),
    agents: database.prepare(
      `SELECT id, host_name, host_id, revoked, ifnull(stopped, 0) AS stopped,
        ifnull(canary, 'fresh') AS canary, ifnull(refused, '{}') AS refused, heard_ms
      FROM agents LEFT JOIN agent_orders ON agent_orders.agent = agents.number
      ORDER BY agents.number`,
    ),
  };
}
