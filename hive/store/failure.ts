import { ImmuneError } from "../../common/config/errors.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html); the low 8 bits of an extended one. */
const RESULT = { busy: 5, locked: 6, corrupt: 11, full: 13, notADatabase: 26 } as const;

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
  const result = resultCode(cause);
  if (result === RESULT.full) {
    const hint = "free space on the store's disk; nothing was stored";
    return new ImmuneError("STORE_FULL", `Cannot ${action}: ${why}; ${hint}`, { cause });
  }
  if (result === RESULT.busy || result === RESULT.locked) {
    const hint = "another process holds the store; stop it first";
    return new ImmuneError("STATE_LOCKED", `Cannot ${action}: ${why}; ${hint}`, { cause });
  }
  const damaged = result === RESULT.corrupt || result === RESULT.notADatabase;
  const hint = damaged ? "; move the file away, or put a backup in its place" : "";
  return new ImmuneError("STORE_FAILED", `Cannot ${action}: ${why}${hint}`, { cause });
}

function resultCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error) || !("errcode" in cause)) return undefined;
  return typeof cause.errcode === "number" ? cause.errcode & 0xFF : undefined;
}
