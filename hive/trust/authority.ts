import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { fingerprint } from "./fingerprint.ts";
import { KEY_ALGORITHM, makeKeyPair, privateKeyPem, randomSerial } from "./key.ts";
import { type FreshKeyFiles, type KeyFiles, openKeyFiles } from "./key_files.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "./x509.ts";

/** Milliseconds of a day. */
export const DAY_MS = 24 * 60 * 60 * 1000;
/** How long the authority's own certificate holds, in days. */
export const AUTHORITY_DAYS = 3650;
/** How long an agent's certificate holds unless told otherwise, in days. */
export const CLIENT_DAYS = 90;
/** Longest that an agent's certificate may hold, in days. */
export const CLIENT_DAYS_MAX = 398;
/** A certificate holds from this long before it was made: clocks of hosts differ. */
export const CLOCK_SKEW_MS = 60 * 60 * 1000;
/** Name of the authority, which says what it is and nothing about the host. */
const AUTHORITY_NAME = "CN=Sentinel Immune hive authority";
/** What an agent's id looks like in its certificate (RFC 9562, section 4; RFC 8141). */
export const AGENT_URI_PREFIX = "urn:uuid:";

/** A certificate that was signed for an agent. */
export interface ClientCertificate {
  readonly pem: string;
  /** SHA-256 of its DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Unix time in milliseconds until which it holds. */
  readonly notAfterMs: number;
}

/** Options of {@linkcode Authority.sign}. */
export interface SignOptions {
  /** The agent's id, a UUID. */
  readonly agentId: string;
  /** Days that the certificate holds, 1 to 398. Default 90. */
  readonly days?: number;
}

/** The hive's own certificate authority. It signs agents' certificates and nothing else. */
export class Authority {
  readonly #files: KeyFiles;
  readonly #clock: Clock;

  private constructor(files: KeyFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /**
   * Reads the authority of a hive's folder (`ca.pem`, `ca.key`), or makes one at first start.
   *
   * @param folder The hive's folder; it must be there.
   * @param options `clock`: default the host's.
   * @returns The authority.
   * @throws {ImmuneError} `STATE_UNUSABLE` when the files cannot be read, written or do not fit.
   */
  static async open(
    folder: string,
    options: { readonly clock?: Clock } = {},
  ): Promise<Authority> {
    const clock = options.clock ?? SYSTEM_CLOCK;
    const files = await openKeyFiles(`${folder}/ca`, () => makeAuthority(clock.nowMs()));
    const basic = files.certificate.getExtension(BasicConstraintsExtension);
    if (basic?.ca !== true) {
      throw new ImmuneError(
        "STATE_UNUSABLE",
        `Cannot use certificate "${folder}/ca.pem": it is no authority's`,
      );
    }
    return new Authority(files, clock);
  }

  /** Its certificate (PEM): the only one that agents' certificates are held against. */
  get certificatePem(): string {
    return this.#files.certificatePem;
  }

  /**
   * Signs an agent's request. Of the request only the key counts: every name and every right in the
   * certificate is the hive's choice.
   *
   * @param request PKCS #10 (RFC 2986) in PEM, signed by the key that it carries; ECDSA P-256.
   * @param options Whose it is and how long it holds.
   * @returns The certificate.
   * @throws {ImmuneError} `ENROLL_REFUSED` when the request is none, or its signature or key does
   * not hold.
   */
  async sign(request: string, options: SignOptions): Promise<ClientCertificate> {
    const { agentId, days = CLIENT_DAYS } = options;
    if (!(days >= 1 && days <= CLIENT_DAYS_MAX)) {
      throw new RangeError(`Cannot sign for ${days} days: 1 to ${CLIENT_DAYS_MAX} are allowed`);
    }
    const publicKey = await requestedKey(request);
    const nowMs = this.#clock.nowMs();
    const notAfterMs = nowMs + days * DAY_MS;
    const issuer = this.#files.certificate;
    const certificate = await X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      issuer: issuer.subject,
      subject: `CN=${agentId}`,
      notBefore: new Date(nowMs - CLOCK_SKEW_MS),
      notAfter: new Date(notAfterMs),
      publicKey,
      signingKey: this.#files.key,
      signingAlgorithm: KEY_ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth], true),
        new SubjectAlternativeNameExtension([{ type: "url", value: AGENT_URI_PREFIX + agentId }]),
        await SubjectKeyIdentifierExtension.create(publicKey),
        await AuthorityKeyIdentifierExtension.create(issuer),
      ],
    });
    return {
      pem: `${certificate.toString("pem")}\n`,
      fingerprint: fingerprint(new Uint8Array(certificate.rawData)),
      notAfterMs,
    };
  }
}

async function makeAuthority(nowMs: number): Promise<FreshKeyFiles> {
  const keys = await makeKeyPair();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: AUTHORITY_NAME,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: await privateKeyPem(keys.privateKey),
  };
}

async function requestedKey(request: string): Promise<CryptoKey> {
  try {
    const read = new Pkcs10CertificateRequest(request);
    const key = await read.publicKey.export(KEY_ALGORITHM, ["verify"]);
    if (await read.verify()) return key;
  } catch (cause) {
    throw new ImmuneError(
      "ENROLL_REFUSED",
      "Cannot sign the request: it is no PKCS #10 request with an ECDSA P-256 key",
      { cause },
    );
  }
  throw new ImmuneError(
    "ENROLL_REFUSED",
    "Cannot sign the request: its signature does not hold",
  );
}
