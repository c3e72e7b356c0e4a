import { ImmuneError, readIfThere, replaceFile } from "../../common/config/mod.ts";
import { KEY_ALGORITHM, readPrivateKey } from "./key.ts";
import { X509Certificate } from "./x509.ts";

/** A certificate and its key, as they lie in the hive's folder. */
export interface KeyFiles {
  readonly certificate: X509Certificate;
  readonly certificatePem: string;
  /** Can sign; cannot be exported. */
  readonly key: CryptoKey;
  readonly keyPem: string;
}

/** What a fresh pair of files holds. */
export interface FreshKeyFiles {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/**
 * Reads a certificate and its key, or makes and writes them where there is no certificate yet.
 * The key is written first: a certificate that is there has its key.
 *
 * @param path Path without its ending; `.pem` and `.key` are read and written, mode 0600.
 * @param make Makes them.
 * @returns What the files hold afterwards.
 * @throws {ImmuneError} `STATE_UNUSABLE` when a file cannot be read or written, the key is missing,
 * or the two do not belong together.
 */
export async function openKeyFiles(
  path: string,
  make: () => Promise<FreshKeyFiles>,
): Promise<KeyFiles> {
  try {
    const found = readIfThere(`${path}.pem`);
    if (found !== undefined) return await readBoth(path, found);
    const fresh = await make();
    replaceFile(`${path}.key`, fresh.keyPem);
    replaceFile(`${path}.pem`, fresh.certificatePem);
    return await readBoth(path, fresh.certificatePem);
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot use certificate "${path}.pem": ${why}`, {
      cause,
    });
  }
}

async function readBoth(path: string, certificatePem: string): Promise<KeyFiles> {
  const keyPem = readIfThere(`${path}.key`);
  if (keyPem === undefined) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use certificate "${path}.pem": its key "${path}.key" is missing; restore it, or ` +
        `remove both files and enrol the agents again`,
    );
  }
  const certificate = new X509Certificate(certificatePem);
  const key = await readPrivateKey(keyPem);
  if (!await belongTogether(certificate, key)) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use certificate "${path}.pem": "${path}.key" is the key of another one`,
    );
  }
  return { certificate, certificatePem, key, keyPem };
}

/**
 * Whether a key is the one of a certificate.
 *
 * @param certificate ECDSA P-256.
 * @param key The private key.
 */
export async function belongTogether(
  certificate: X509Certificate,
  key: CryptoKey,
): Promise<boolean> {
  const probe = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(KEY_ALGORITHM, key, probe);
  const publicKey = await certificate.publicKey.export(KEY_ALGORITHM, ["verify"]);
  return await crypto.subtle.verify(KEY_ALGORITHM, publicKey, signature, probe);
}
