import { createHash } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";
import { KEY_ALGORITHM } from "./key.ts";
import { Pkcs10CertificateRequest } from "./x509.ts";

/**
 * The key of a certificate request. It is all of it that counts: names and rights are the hive's
 * choice.
 *
 * @param request PKCS #10 (RFC 2986) in PEM.
 * @returns The key: ECDSA P-256, and the request was signed by it.
 * @throws {ImmuneError} `ENROLL_REFUSED` when the request is none, or its key or signature does not
 * hold.
 */
export async function requestedKey(request: string): Promise<CryptoKey> {
  try {
    const read = new Pkcs10CertificateRequest(request);
    const key = await read.publicKey.export(KEY_ALGORITHM, ["verify"]);
    if (await read.verify()) return key;
  } catch (cause) {
    throw notARequest(cause);
  }
  throw new ImmuneError(
    "ENROLL_REFUSED",
    "Cannot sign the request: its signature does not hold",
  );
}

/**
 * Hash of the key that a request is for. Nothing is checked yet, so that it costs little.
 *
 * @param request PKCS #10 in PEM.
 * @returns SHA-256 of the public key (SPKI), 64 lower-case hexadecimal digits.
 * @throws {ImmuneError} `ENROLL_REFUSED` when the request is none.
 */
export function requestedKeyHash(request: string): string {
  try {
    const { rawData } = new Pkcs10CertificateRequest(request).publicKey;
    return createHash("sha256").update(new Uint8Array(rawData)).digest("hex");
  } catch (cause) {
    throw notARequest(cause);
  }
}

function notARequest(cause: unknown): ImmuneError {
  return new ImmuneError(
    "ENROLL_REFUSED",
    "Cannot sign the request: it is no PKCS #10 request with an ECDSA P-256 key",
    { cause },
  );
}
