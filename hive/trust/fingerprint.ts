import { createHash } from "node:crypto";

/**
 * The fingerprint by which a certificate is known.
 *
 * @param der The certificate (DER).
 * @returns SHA-256 of it, 64 lower-case hexadecimal digits.
 */
export function fingerprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}
