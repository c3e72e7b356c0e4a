import { createHash, timingSafeEqual } from "node:crypto";

/** Random bytes of a secret. */
export const SECRET_BYTES = 32;
/** Characters of a secret's text: base64url without padding. */
export const SECRET_CHARACTERS = 43;

/**
 * A new secret.
 *
 * @returns 256 random bits as 43 characters of base64url.
 */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * What is kept of a secret. It has 256 random bits, so that a plain hash is enough.
 *
 * @param secret The secret, or what someone says is it.
 * @returns SHA-256 as 64 hexadecimal digits.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/**
 * Compares two hashes in a time that does not tell where they differ.
 *
 * @param a 64 hexadecimal digits.
 * @param b 64 hexadecimal digits.
 */
export function isSameHash(a: string, b: string): boolean {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
