import type { DatabaseSync } from "node:sqlite";
import { integer, integerOrNull, text } from "./rows.ts";
import type { AgentRow, NewAgent } from "./store.ts";
import { transaction } from "./transaction.ts";

/** Agents, with the certificate that each began with. */
export class FleetRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Adds an agent and its certificate.
   *
   * @param agent Id and host.
   * @param certificate Fingerprint, and Unix time in milliseconds of the enrolment.
   * @throws {ImmuneError} `STORE_FAILED` when either is there already.
   */
  addAgent(
    { id, hostId, hostName, tags = [] }: NewAgent,
    { fingerprint, nowMs }: { readonly fingerprint: string; readonly nowMs: number },
  ): void {
    transaction(this.#database, () => {
      const { lastInsertRowid } = this.#sql.addAgent.run(
        id,
        hostId,
        hostName,
        nowMs,
        JSON.stringify(tags),
      );
      this.#sql.addCertificate.run(fingerprint, lastInsertRowid);
    });
  }

  /**
   * Revokes an agent and all its certificates.
   *
   * @param agentId Its id.
   * @returns False when there is no such agent.
   */
  revoke(agentId: string): boolean {
    return this.revokeAll([agentId]).length === 1;
  }

  /**
   * Revokes agents and all their certificates, all in one transaction.
   *
   * @param agentIds Their ids.
   * @returns Those that there are.
   */
  revokeAll(agentIds: readonly string[]): readonly string[] {
    return transaction(this.#database, () =>
      agentIds.filter((agentId) => {
        this.#sql.revokeCertificates.run(agentId);
        return Number(this.#sql.revokeAgent.run(agentId).changes) === 1;
      }));
  }

  /** All agents in the order of their enrolment. */
  agents(): readonly AgentRow[] {
    return this.#sql.agents.all().map((row) => {
      const lastSeenMs = integerOrNull(row, "last_seen_ms");
      return {
        id: text(row, "id"),
        hostId: text(row, "host_id"),
        hostName: text(row, "host_name"),
        enrolledAt: new Date(integer(row, "enrolled_ms")).toISOString(),
        lastSeenAt: lastSeenMs === null ? null : new Date(lastSeenMs).toISOString(),
        revoked: integer(row, "revoked") !== 0,
        rules: integerOrNull(row, "rules"),
        ruleSet: row["rule_set"] === null ? null : text(row, "rule_set"),
        tags: JSON.parse(text(row, "tags")) as string[],
      };
    });
  }
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    addAgent: database.prepare(
      "INSERT INTO agents (id, host_id, host_name, enrolled_ms, tags) VALUES (?, ?, ?, ?, ?)",
    ),
    addCertificate: database.prepare("INSERT INTO certificates (fingerprint, agent) VALUES (?, ?)"),
    revokeCertificates: database.prepare(
      "UPDATE certificates SET revoked = 1 WHERE agent = (SELECT number FROM agents WHERE id = ?)",
    ),
    revokeAgent: database.prepare("UPDATE agents SET revoked = 1 WHERE id = ?"),
    agents: database.prepare(
      `SELECT id, host_id, host_name, enrolled_ms, last_seen_ms, revoked, rules, rule_set, tags
      FROM agents ORDER BY number`,
    ),
  };
}
