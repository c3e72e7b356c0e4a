import { ImmuneError } from "../../common/config/errors.ts";

/**
 * What SQLite calls a failure (sqlite3_errstr), by what it means here. `DatabaseSync.exec` gives no
 * result code, only this text, and commits go through it.
 */
const MEANINGS = {
  full: /database or disk is full/,
  held: /database (table )?is locked/,
  damaged: /not a database|disk image is malformed|malformed database schema/,
} as const;

/**
 * The operating error behind whatever an action on the database threw.
 *
 * @param cause What was thrown. An `ImmuneError` stays what it is.
 * @param action What was tried, as it follows "Cannot".
 * @returns `STORE_FULL`, `STATE_LOCKED` or `STORE_FAILED`.
 */
export function storeError(cause: unknown, action: string): ImmuneError {
  if (cause instanceof ImmuneError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  if (MEANINGS.full.test(why)) {
    const message = `Cannot ${action}: ${why}; free space on its disk or raise hive.store_bytes`;
    return new ImmuneError("STORE_FULL", message, { cause });
  }
  if (MEANINGS.held.test(why)) {
    const message = `Cannot ${action}: ${why}; stop the other process that has it open`;
    return new ImmuneError("STATE_LOCKED", message, { cause });
  }
  const hint = MEANINGS.damaged.test(why) ? "; move the file away or put a backup there" : "";
  return new ImmuneError("STORE_FAILED", `Cannot ${action}: ${why}${hint}`, { cause });
}
