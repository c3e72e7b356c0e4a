import { ImmuneError, readIfThere } from "../../common/config/mod.ts";
import { hashSecret, newSecret, SECRET_CHARACTERS } from "./secret.ts";

/** Name of the API token's file in the state folder. */
export const OPERATOR_TOKEN_FILE = "operator.token";

/**
 * The operators' API token of a state folder; made (mode 0600) where there is none.
 *
 * @param folder The state folder.
 * @returns The token: 43 characters of base64url.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be read or written, or is no token.
 */
export function openOperatorToken(folder: string): string {
  const path = `${folder}/${OPERATOR_TOKEN_FILE}`;
  const kept = attempt(path, () => readIfThere(path))?.trim();
  if (kept === undefined) {
    const token = newSecret();
    attempt(path, () => writeToken(path, token));
    return token;
  }
  if (kept.length !== SECRET_CHARACTERS || !/^[\w-]+$/.test(kept)) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use operator token "${path}": it is damaged; remove it and start again for a new one`,
    );
  }
  return kept;
}

/**
 * What a hive needs of the API token: enough to check it, not to use it.
 *
 * @param folder The state folder.
 * @returns SHA-256 of the token, 64 hexadecimal digits.
 * @throws {ImmuneError} `STATE_UNUSABLE`, see {@linkcode openOperatorToken}.
 */
export function operatorTokenHash(folder: string): string {
  return hashSecret(openOperatorToken(folder));
}

/** A hive may write this file and not the folder: it cannot be made aside and renamed. */
function writeToken(path: string, token: string): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
  file.writeSync(new TextEncoder().encode(`${token}\n`));
  file.syncDataSync();
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot use operator token "${path}": ${why}`, {
      cause,
    });
  }
}
