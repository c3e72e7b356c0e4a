import { combine, split } from "shamir-secret-sharing";
import { ImmuneError } from "../config/errors.ts";

/** Most holders of a secret. */
export const HOLDERS_MAX = 10;
/** Holders unless told otherwise. */
export const HOLDERS = 5;
/** Holders that are needed unless told otherwise. */
export const THRESHOLD = 3;

/** Among how many a secret is shared. */
export interface Sharing {
  /** How many hold a share, 2 to 10. Default 5. */
  readonly holders?: number;
  /** How many of them are needed, 2 to `holders`. Default 3. */
  readonly threshold?: number;
}

/**
 * Shares a secret over GF(256) with the polynomial of AES (A. Shamir, How to Share a Secret, 1979):
 * as many shares as are needed give it, fewer say nothing about it.
 *
 * @param secret At least one byte.
 * @param sharing Among how many.
 * @returns A share each: a byte for each of the secret's, then x, which is distinct and not 0.
 * @throws {ImmuneError} `SHARE_INVALID` for numbers that do not hold.
 */
export async function splitSecret(
  secret: Uint8Array,
  sharing: Sharing = {},
): Promise<Uint8Array[]> {
  const { holders = HOLDERS, threshold = THRESHOLD } = sharing;
  if (!(Number.isInteger(holders) && holders >= 2 && holders <= HOLDERS_MAX)) {
    throw invalid(`share among ${holders}`, `2 to ${HOLDERS_MAX} holders are possible`);
  }
  if (!(Number.isInteger(threshold) && threshold >= 2 && threshold <= holders)) {
    throw invalid(`ask for ${threshold} shares`, `2 to the number of holders are possible`);
  }
  return await split(secret, holders, threshold);
}

/**
 * Joins shares. Too few, or forged ones, give a wrong secret without a word: hold the result
 * against what was published of it.
 *
 * @param shares Two at least, as {@linkcode splitSecret} gave them.
 * @returns The secret.
 * @throws {ImmuneError} `SHARE_INVALID` when two have the same x, one has none, or they differ in
 * length.
 */
export async function joinShares(shares: readonly Uint8Array[]): Promise<Uint8Array> {
  const length = shares[0]?.length ?? 0;
  if (shares.length < 2 || shares.length > HOLDERS_MAX) {
    throw invalid(`join ${shares.length} shares`, `2 to ${HOLDERS_MAX} are possible`);
  }
  if (length < 2 || shares.some((share) => share.length !== length)) {
    throw invalid("join shares", "they differ in length");
  }
  const xs = shares.map((share) => share.at(-1) ?? 0);
  if (xs.includes(0)) throw invalid("join shares", "one of them has x = 0");
  if (new Set(xs).size !== xs.length) throw invalid("join shares", "one of them comes twice");
  return await combine(shares.map((share) => new Uint8Array(share)));
}

function invalid(action: string, why: string): ImmuneError {
  return new ImmuneError("SHARE_INVALID", `Cannot ${action}: ${why}`);
}
