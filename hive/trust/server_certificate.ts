import { type Clock, ImmuneError, replaceFile, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { pinSetId } from "../../common/link/pin.ts";
import { CLOCK_SKEW_MS, DAY_MS, SERVER_DAYS, SUCCESSOR_DAYS_MIN } from "./dates.ts";
import { fingerprint } from "./fingerprint.ts";
import { KEY_ALGORITHM, makeKeyPair, privateKeyPem, randomSerial } from "./key.ts";
import { type FreshKeyFiles, type KeyFiles, openKeyFiles } from "./key_files.ts";
import { promoteKeyFiles } from "./promote.ts";
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
/** Most names that a certificate is made for. */
export const SERVER_NAMES_MAX = 32;
/** The certificate in use, its successor, and the one that is to follow, while it does. */
const NAMES = ["server", "server.next", "server.fresh"] as const;

/** A certificate that agents pin. */
export interface PinnedCertificate {
  readonly certificatePem: string;
  readonly der: Uint8Array<ArrayBuffer>;
  /** SHA-256 of `der`, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Unix time in milliseconds until which it holds. */
  readonly notAfterMs: number;
}

/** The certificate that the hive shows to agents, and the one that it will show next. */
export interface ServerCertificate extends PinnedCertificate {
  readonly keyPem: string;
  /** Pinned by agents too, so that a rotation locks nobody out. */
  readonly successor: PinnedCertificate;
  /** Both (DER), the one in use first: what agents pin. */
  readonly pins: readonly Uint8Array<ArrayBuffer>[];
  /** Of the pins: 64 lower-case hexadecimal digits. */
  readonly pinSet: string;
}

/** Options of {@linkcode openServerCertificate}. */
export interface ServerCertificateOptions {
  /**
   * Host names and addresses under which agents reach the hive, besides `immune-hive`,
   * `localhost`, `127.0.0.1` and `::1`. They count only when a certificate is made.
   */
  readonly names?: readonly string[];
  /** Default: the host's. */
  readonly clock?: Clock;
}

/**
 * Reads the hive's server certificate and its successor (`server.*`, `server.next.*`), or makes
 * them at first start: self-signed, no authority, for servers only. They are pinned, so no name in
 * them gives trust. A rotation that was interrupted is ended.
 *
 * @param folder The hive's folder; it must be there.
 * @param options Names and clock.
 * @returns Certificate, key and successor.
 * @throws {ImmuneError} `STATE_UNUSABLE` when the files cannot be read, written or do not fit, or
 * the certificate has run out.
 */
export async function openServerCertificate(
  folder: string,
  options: ServerCertificateOptions = {},
): Promise<ServerCertificate> {
  const { names = [], clock = SYSTEM_CLOCK } = options;
  const nowMs = clock.nowMs();
  promoteKeyFiles(folder, NAMES);
  const current = await openKeyFiles(`${folder}/server`, () => make(names, nowMs));
  const next = await openKeyFiles(`${folder}/server.next`, () => make(names, nowMs));
  const { notAfter } = current.certificate;
  if (notAfter.getTime() <= nowMs) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use certificate "${folder}/server.pem": it ran out at ` +
        `${notAfter.toISOString()}; remove it and its key, and enrol the agents again`,
    );
  }
  const [shown, successor] = [pinned(current), pinned(next)];
  const pins = [shown.der, successor.der];
  return { ...shown, keyPem: current.keyPem, successor, pins, pinSet: await pinSetId(pins) };
}

/**
 * Puts the successor in the place of the certificate in use, whose key is gone afterwards, and
 * makes a new successor.
 *
 * @param folder The hive's folder.
 * @param options Names, clock, and `force`: also when agents cannot know the successor yet.
 * @returns What is to be shown from now on.
 * @throws {ImmuneError} `ROTATION_TOO_EARLY` when the successor is younger than a day; as
 * `openServerCertificate`.
 */
export async function rotateServerCertificate(
  folder: string,
  options: ServerCertificateOptions & { readonly force?: boolean } = {},
): Promise<ServerCertificate> {
  const { names = [], clock = SYSTEM_CLOCK, force = false } = options;
  const nowMs = clock.nowMs();
  const { certificate } = await openKeyFiles(`${folder}/server.next`, () => make(names, nowMs));
  const knownMs = nowMs - certificate.notBefore.getTime() - CLOCK_SKEW_MS;
  if (!force && knownMs < SUCCESSOR_DAYS_MIN * DAY_MS) {
    throw new ImmuneError(
      "ROTATION_TOO_EARLY",
      "Cannot rotate the server's certificate: its successor is younger than a day, and agents " +
        "that have not heard of it would have to enrol again; wait, or force it",
    );
  }
  const fresh = await make(names, nowMs);
  replaceFile(`${folder}/server.fresh.key`, fresh.keyPem);
  replaceFile(`${folder}/server.fresh.pem`, fresh.certificatePem);
  return await openServerCertificate(folder, options);
}

function pinned({ certificate, certificatePem }: KeyFiles): PinnedCertificate {
  const der = new Uint8Array(certificate.rawData);
  const notAfterMs = certificate.notAfter.getTime();
  return { certificatePem, der, fingerprint: fingerprint(der), notAfterMs };
}

async function make(names: readonly string[], nowMs: number): Promise<FreshKeyFiles> {
  const all = new Set([SERVER_NAME, "localhost", "127.0.0.1", "::1", ...names]);
  if (all.size > SERVER_NAMES_MAX) {
    throw new RangeError(`a certificate is made for at most ${SERVER_NAMES_MAX} names`);
  }
  const keys = await makeKeyPair();
  const serialNumber = randomSerial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // A client that has both as anchors finds the right one by its name.
    name: `CN=${SERVER_NAME} ${serialNumber.slice(-8)}`,
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
