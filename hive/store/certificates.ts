import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import { CERTIFICATES_ASKED_MAX } from "./directive_store.ts";
import { checkLimit } from "./limit.ts";
import { integer, text } from "./rows.ts";
import type { CertificateRow, RenewedCertificate } from "./store.ts";
import { transaction } from "./transaction.ts";

/** Which certificates are good, and whose they are. */
export class CertificateRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * A certificate that was given out.
   *
   * @param fingerprint Of the certificate.
   * @param nowMs Unix time in milliseconds.
   */
  get(fingerprint: string, nowMs: number): CertificateRow | undefined {
    const row = this.#sql.get.get(nowMs, fingerprint);
    if (row === undefined) return undefined;
    return {
      fingerprint,
      agentId: text(row, "id"),
      hostId: text(row, "host_id"),
      revoked: integer(row, "revoked") !== 0,
      unused: integer(row, "used") === 0,
    };
  }

  /**
   * Adds a certificate that is to follow another of the same agent. The older ones go on until it
   * is used, but no longer than the bound; one that was to follow before and never was used is
   * gone.
   *
   * @param renewed The new one, the one that asked for it, and the bound.
   * @param nowMs Unix time in milliseconds.
   * @throws {ImmuneError} `CERTIFICATE_REFUSED` when the one that asks is not good any more.
   */
  renew({ fingerprint, by, untilMs }: RenewedCertificate, nowMs: number): void {
    transaction(this.#database, () => {
      const row = this.get(by, nowMs);
      if (row === undefined || row.revoked) {
        throw new ImmuneError(
          "CERTIFICATE_REFUSED",
          "Cannot renew the certificate: it is not enrolled, or no longer",
        );
      }
      this.#sql.dropUnused.run(by, by);
      this.#sql.add.run(fingerprint, by);
      this.#sql.bound.run(untilMs, untilMs, fingerprint, fingerprint);
    });
  }

  /**
   * A certificate was used for the first time: all others of its agent are good no more.
   *
   * @param fingerprint Of the certificate.
   */
  confirm(fingerprint: string): void {
    transaction(this.#database, () => {
      this.#sql.use.run(fingerprint);
      this.#sql.retire.run(fingerprint, fingerprint);
    });
  }

  /**
   * Which of some certificates are not good.
   *
   * @param fingerprints At most 4,096.
   * @param nowMs Unix time in milliseconds.
   */
  refused(fingerprints: readonly string[], nowMs: number): readonly string[] {
    checkLimit(fingerprints.length, { max: CERTIFICATES_ASKED_MAX, of: "certificates" });
    return this.#sql.refused.all(JSON.stringify(fingerprints), nowMs)
      .map((row) => text(row, "fingerprint"));
  }
}

const GOOD = `certificates.revoked = 0 AND agents.revoked = 0
  AND (certificates.until_ms IS NULL OR certificates.until_ms >= ?)`;
const AGENT_OF = "(SELECT agent FROM certificates WHERE fingerprint = ?)";

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    get: database.prepare(
      `SELECT agents.id AS id, host_id, used, NOT (${GOOD}) AS revoked
      FROM certificates JOIN agents ON agents.number = certificates.agent
      WHERE certificates.fingerprint = ?`,
    ),
    dropUnused: database.prepare(
      `DELETE FROM certificates WHERE agent = ${AGENT_OF} AND used = 0 AND fingerprint <> ?`,
    ),
    add: database.prepare(
      `INSERT INTO certificates (fingerprint, agent, used) VALUES (?, ${AGENT_OF}, 0)`,
    ),
    bound: database.prepare(
      `UPDATE certificates SET until_ms = min(coalesce(until_ms, ?), ?)
      WHERE agent = ${AGENT_OF} AND fingerprint <> ?`,
    ),
    use: database.prepare("UPDATE certificates SET used = 1 WHERE fingerprint = ?"),
    retire: database.prepare(
      `UPDATE certificates SET revoked = 1 WHERE agent = ${AGENT_OF} AND fingerprint <> ?`,
    ),
    refused: database.prepare(
      `SELECT asked.value AS fingerprint FROM json_each(?) AS asked WHERE NOT EXISTS (
        SELECT 1 FROM certificates JOIN agents ON agents.number = certificates.agent
        WHERE certificates.fingerprint = asked.value AND ${GOOD})`,
    ),
  };
}
