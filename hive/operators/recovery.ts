import { hashSecret } from "./secret.ts";

/** Recovery codes of an account. */
export const RECOVERY_CODES = 10;
/** Random bytes of one: 80 bits, so that a plain hash is enough. */
const CODE_BYTES = 10;
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * New recovery codes.
 *
 * @returns Such as `k3fa-…`, shown once; their hashes are kept.
 */
export function newRecoveryCodes(): { readonly codes: string[]; readonly hashes: string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, newCode);
  return { codes, hashes: codes.map(recoveryHash) };
}

/**
 * What is kept of a recovery code.
 *
 * @param code As it was typed: blanks, dashes and capitals do not matter.
 * @returns SHA-256, 64 hexadecimal digits.
 */
export function recoveryHash(code: string): string {
  return hashSecret(`recovery ${code.toLowerCase().replaceAll(/[\s-]/g, "")}`);
}

function newCode(): string {
  let bits = crypto.getRandomValues(new Uint8Array(CODE_BYTES))
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (let i = 0; i < CODE_BYTES * 8; i += 5) {
    text += LETTERS[Number(bits % 32n)];
    bits /= 32n;
  }
  return text.replaceAll(/(.{4})(?=.)/g, "$1-");
}
