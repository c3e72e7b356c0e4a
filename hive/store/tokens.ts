import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import { integer, type Row, text } from "./rows.ts";
import { type TokenGrant, type TokenRow, TOKENS_MAX, type TokenUse } from "./store.ts";
import { transaction } from "./transaction.ts";

/** Enrolment tokens, of which only the hash is kept. */
export class TokenRows {
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
   * @param token Its hash, and what it is good for.
   * @param nowMs Unix time in milliseconds.
   * @throws {ImmuneError} `RATE_LIMITED` over the bound, `STORE_FAILED` when it is there already.
   */
  add(token: TokenRow, nowMs: number): void {
    const { secretHash, expiresMs, uses = 1, tags = [], approval = false } = token;
    transaction(this.#database, () => {
      this.#sql.drop.run(nowMs);
      if (integer(this.#sql.count.get(), "tokens") >= TOKENS_MAX) {
        throw new ImmuneError(
          "RATE_LIMITED",
          `Cannot add token: ${TOKENS_MAX} are valid already; wait until they expire`,
        );
      }
      this.#sql.add.run(
        secretHash,
        expiresMs,
        uses,
        JSON.stringify(tags),
        token.hostId ?? null,
        token.hostName ?? null,
        approval ? 1 : 0,
      );
    });
  }

  /**
   * Uses a token once: counting and looking are one statement, so that two at the same instant
   * never share one use.
   *
   * @param secretHash Its hash.
   * @param use When, and by which host.
   * @returns What it grants, or `undefined` when it is unknown, used up, expired or another host's.
   */
  use(secretHash: string, { nowMs, hostId, hostName }: TokenUse): TokenGrant | undefined {
    const row: Row = this.#sql.use.get(secretHash, nowMs, hostId, hostName);
    if (row === undefined) return undefined;
    return {
      tags: JSON.parse(text(row, "tags")) as string[],
      approval: integer(row, "approval") !== 0,
    };
  }

  /**
   * Makes a token worthless.
   *
   * @param secretHash Its hash.
   * @returns False when there is none.
   */
  remove(secretHash: string): boolean {
    return Number(this.#sql.remove.run(secretHash).changes) === 1;
  }
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    drop: database.prepare("DELETE FROM tokens WHERE expires_ms < ? OR uses = 0"),
    count: database.prepare("SELECT count(*) AS tokens FROM tokens"),
    add: database.prepare(
      `INSERT INTO tokens (secret_hash, expires_ms, uses, tags, host_id, host_name, approval)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    use: database.prepare(
      `UPDATE tokens SET uses = uses - 1
      WHERE secret_hash = ? AND expires_ms >= ? AND uses > 0
        AND (host_id IS NULL OR host_id = ?) AND (host_name IS NULL OR host_name = ?)
      RETURNING tags, approval`,
    ),
    remove: database.prepare("DELETE FROM tokens WHERE secret_hash = ?"),
  };
}
