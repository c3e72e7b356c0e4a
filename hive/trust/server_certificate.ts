import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { CLOCK_SKEW_MS, DAY_MS } from "./authority.ts";
import { fingerprint } from "./fingerprint.ts";
import { KEY_ALGORITHM, makeKeyPair, privateKeyPem, randomSerial } from "./key.ts";
import { type FreshKeyFiles, openKeyFiles } from "./key_files.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "./x509.ts";

/** Name that every hive's certificate carries, wherever the hive lives. */
export const SERVER_NAME = "immune-hive";
/** How long the server's certificate holds, in days: agents pin it, nobody else trusts it. */
export const SERVER_DAYS = 3650;
/** Most names that a certificate is made for. */
export const SERVER_NAMES_MAX = 32;

/** The certificate that the hive shows to agents. */
export interface ServerCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** DER, as an enrolment token carries it. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** SHA-256 of `der`, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
}

/** Options of {@linkcode openServerCertificate}. */
export interface ServerCertificateOptions {
  /**
   * Host names and addresses under which agents reach the hive, besides `immune-hive`,
   * `localhost`, `127.0.0.1` and `::1`. They count only when the certificate is made.
   */
  readonly names?: readonly string[];
  /** Default: the host's. */
  readonly clock?: Clock;
}

/**
 * Reads the hive's server certificate (`server.pem`, `server.key`), or makes one at first start:
 * self-signed, no authority, for servers only. It is pinned, so no name in it gives trust.
 *
 * @param folder The hive's folder; it must be there.
 * @param options Names and clock.
 * @returns Certificate and key.
 * @throws {ImmuneError} `STATE_UNUSABLE` when the files cannot be read, written or do not fit, or
 * the certificate has run out.
 */
export async function openServerCertificate(
  folder: string,
  options: ServerCertificateOptions = {},
): Promise<ServerCertificate> {
  const { names = [], clock = SYSTEM_CLOCK } = options;
  const nowMs = clock.nowMs();
  const files = await openKeyFiles(`${folder}/server`, () => make(names, nowMs));
  const { certificate, certificatePem, keyPem } = files;
  if (certificate.notAfter.getTime() <= nowMs) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use certificate "${folder}/server.pem": it ran out at ` +
        `${certificate.notAfter.toISOString()}; remove it and its key, and enrol the agents again`,
    );
  }
  const der = new Uint8Array(certificate.rawData);
  return { certificatePem, keyPem, der, fingerprint: fingerprint(der) };
}

async function make(names: readonly string[], nowMs: number): Promise<FreshKeyFiles> {
  const all = new Set([SERVER_NAME, "localhost", "127.0.0.1", "::1", ...names]);
  if (all.size > SERVER_NAMES_MAX) {
    throw new RangeError(`a certificate is made for at most ${SERVER_NAMES_MAX} names`);
  }
  const keys = await makeKeyPair();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: `CN=${SERVER_NAME}`,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + SERVER_DAYS * DAY_MS),
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth], true),
      new SubjectAlternativeNameExtension(
        [...all].map((value) => ({
          type: isAddress(value) ? "ip" as const : "dns" as const,
          value,
        })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: await privateKeyPem(keys.privateKey),
  };
}

/** Whether a host is an IP address: no top-level domain is a number, and no name has a colon. */
function isAddress(name: string): boolean {
  return name.includes(":") || /\.\d+$/.test(name);
}
