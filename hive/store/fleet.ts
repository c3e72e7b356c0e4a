import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import { integer, integerOrNull, text } from "./rows.ts";
import { type AgentRow, type CertificateRow, type TokenRow, TOKENS_MAX } from "./store.ts";
import { transaction } from "./transaction.ts";

/** Tokens, agents and their certificates. */
export class FleetRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * Adds a token and drops those that expired.
   *
   * @param token Its hash and when it expires.
   * @param nowMs Unix time in milliseconds.
   * @throws {ImmuneError} `RATE_LIMITED` over the bound, `STORE_FAILED` when it is there already.
   */
  addToken({ secretHash, expiresMs }: TokenRow, nowMs: number): void {
    transaction(this.#database, () => {
      this.#sql.dropTokens.run(nowMs);
      if (integer(this.#sql.countTokens.get(), "tokens") >= TOKENS_MAX) {
        throw new ImmuneError(
          "RATE_LIMITED",
          `Cannot add token: ${TOKENS_MAX} are valid already; wait until they expire`,
        );
      }
      this.#sql.addToken.run(secretHash, expiresMs);
    });
  }

  /**
   * Uses a token up.
   *
   * @param secretHash Its hash.
   * @param nowMs Unix time in milliseconds.
   * @returns True once, for one that is not expired.
   */
  useToken(secretHash: string, nowMs: number): boolean {
    return Number(this.#sql.useToken.run(secretHash, nowMs).changes) === 1;
  }

  /**
   * Adds an agent and its certificate.
   *
   * @param agent Id and host.
   * @param certificate Fingerprint, and Unix time in milliseconds of the enrolment.
   * @throws {ImmuneError} `STORE_FAILED` when either is there already.
   */
  addAgent(
    { id, hostId, hostName }: Pick<AgentRow, "id" | "hostId" | "hostName">,
    { fingerprint, nowMs }: { readonly fingerprint: string; readonly nowMs: number },
  ): void {
    transaction(this.#database, () => {
      const { lastInsertRowid } = this.#sql.addAgent.run(id, hostId, hostName, nowMs);
      this.#sql.addCertificate.run(fingerprint, lastInsertRowid);
    });
  }

  /**
   * A certificate that was given out.
   *
   * @param fingerprint Of the certificate.
   */
  certificate(fingerprint: string): CertificateRow | undefined {
    const row = this.#sql.certificate.get(fingerprint);
    if (row === undefined) return undefined;
    return {
      fingerprint,
      agentId: text(row, "id"),
      hostId: text(row, "host_id"),
      revoked: integer(row, "revoked") !== 0,
    };
  }

  /**
   * Revokes an agent and all its certificates.
   *
   * @param agentId Its id.
   * @returns False when there is no such agent.
   */
  revoke(agentId: string): boolean {
    return transaction(this.#database, () => {
      this.#sql.revokeCertificates.run(agentId);
      return Number(this.#sql.revokeAgent.run(agentId).changes) === 1;
    });
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
      };
    });
  }
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    dropTokens: database.prepare("DELETE FROM tokens WHERE expires_ms < ?"),
    countTokens: database.prepare("SELECT count(*) AS tokens FROM tokens"),
    addToken: database.prepare("INSERT INTO tokens (secret_hash, expires_ms) VALUES (?, ?)"),
    useToken: database.prepare("DELETE FROM tokens WHERE secret_hash = ? AND expires_ms >= ?"),
    addAgent: database.prepare(
      "INSERT INTO agents (id, host_id, host_name, enrolled_ms) VALUES (?, ?, ?, ?)",
    ),
    addCertificate: database.prepare("INSERT INTO certificates (fingerprint, agent) VALUES (?, ?)"),
    certificate: database.prepare(
      `SELECT agents.id AS id, host_id, max(certificates.revoked, agents.revoked) AS revoked
      FROM certificates JOIN agents ON agents.number = certificates.agent
      WHERE certificates.fingerprint = ?`,
    ),
    revokeCertificates: database.prepare(
      "UPDATE certificates SET revoked = 1 WHERE agent = (SELECT number FROM agents WHERE id = ?)",
    ),
    revokeAgent: database.prepare("UPDATE agents SET revoked = 1 WHERE id = ?"),
    agents: database.prepare(
      `SELECT id, host_id, host_name, enrolled_ms, last_seen_ms, revoked, rules, rule_set
      FROM agents ORDER BY number`,
    ),
  };
}
