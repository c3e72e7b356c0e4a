import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { fingerprint, pem } from "../../common/link/pin.ts";

/** Every key of an agent: ECDSA on P-256 with SHA-256 (FIPS 186-5). */
const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A new key and the request for its certificate. */
export interface KeyAndRequest {
  /** PKCS #8 in PEM (RFC 7468). */
  readonly keyPem: string;
  /** PKCS #10 in PEM (RFC 7468), signed by the key. */
  readonly requestPem: string;
  /** SHA-256 of the public key (SPKI), 64 lower-case hexadecimal digits. */
  readonly keyHash: string;
}

/**
 * Makes a key on this host and a request for its certificate. The request claims no name: the hive
 * gives the agent its id.
 *
 * @returns Both as text.
 */
export async function makeKeyAndRequest(): Promise<KeyAndRequest> {
  const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    name: "CN=immune-agent",
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const keyHash = await fingerprint(
    new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey)),
  );
  return { keyPem: pem("PRIVATE KEY", key), requestPem: `${request.toString("pem")}\n`, keyHash };
}
