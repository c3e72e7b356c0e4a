import { PemConverter } from "./x509.ts";

/** Every key and signature of the hive: ECDSA on P-256 with SHA-256 (FIPS 186-5). */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** PEM label of a private key (RFC 7468, section 10). */
const PRIVATE_KEY_LABEL = "PRIVATE KEY";

/** Makes a key pair whose private half can be written to a file. */
export function makeKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

/**
 * A private key as text.
 *
 * @param key An extractable private key.
 * @returns PKCS #8 in PEM (RFC 7468), with a line end.
 */
export async function privateKeyPem(key: CryptoKey): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", key);
  return `${PemConverter.encode(bytes, PRIVATE_KEY_LABEL)}\n`;
}

/**
 * Reads a private key that can sign and not leave again.
 *
 * @param pem PKCS #8 in PEM.
 * @returns The key.
 * @throws {Error} when it is no such key.
 */
export function readPrivateKey(pem: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(pem), KEY_ALGORITHM, false, [
    "sign",
  ]);
}

/** A random serial number: 16 bytes, positive and never 0 (RFC 5280, section 4.1.2.2), in hex. */
export function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7F) | 0x40;
  return bytes.toHex();
}
