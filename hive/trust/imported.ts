import { ImmuneError } from "../../common/config/errors.ts";
import { DAY_MS } from "./dates.ts";
import { belongTogether, type FreshKeyFiles } from "./key_files.ts";
import { readPrivateKey } from "./key.ts";
import { constraintOf } from "./name_constraints.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
} from "./x509.ts";

/** Least that an authority from outside has to hold still, in days. */
export const IMPORTED_DAYS_MIN = 30;

/** For whom and when an authority from outside is to be good. */
export interface ImportedFor {
  readonly fleetId: string;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

/**
 * Checks an authority that comes from outside, an intermediate one for instance, before anything is
 * signed with it.
 *
 * @param given Certificate and key (PEM); the key is ECDSA P-256 in PKCS #8.
 * @param options Fleet and time.
 * @returns The same, in the form in which they are kept.
 * @throws {ImmuneError} `CONFIG_INVALID` with what does not hold.
 */
export async function checkImported(
  given: FreshKeyFiles,
  options: ImportedFor,
): Promise<FreshKeyFiles> {
  const refuse = (why: string): ImmuneError =>
    new ImmuneError("CONFIG_INVALID", `Cannot import this authority: ${why}`);
  const certificate = readCertificate(given.certificatePem);
  if (certificate === undefined) throw refuse("its certificate cannot be read");
  const wrong = wrongAuthority(certificate, options);
  if (wrong !== undefined) throw refuse(wrong);
  try {
    const key = await readPrivateKey(given.keyPem);
    if (!await belongTogether(certificate, key)) throw refuse("the key is another one's");
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    throw refuse("its key is no ECDSA P-256 key in PKCS #8");
  }
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: `${given.keyPem.trim()}\n`,
  };
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function wrongAuthority(
  certificate: X509Certificate,
  { fleetId, nowMs }: ImportedFor,
): string | undefined {
  if (certificate.getExtension(BasicConstraintsExtension)?.ca !== true) {
    return "it may sign nothing (no CA)";
  }
  const usages = certificate.getExtension(KeyUsagesExtension)?.usages ?? 0;
  if ((usages & KeyUsageFlags.keyCertSign) === 0) return "it may sign no certificates";
  const purposes = certificate.getExtension(ExtendedKeyUsageExtension)?.usages;
  if (purposes !== undefined && !purposes.includes(ExtendedKeyUsage.clientAuth)) {
    return "what it signs may not be used by clients";
  }
  if (certificate.notBefore.getTime() > nowMs) return "it does not hold yet";
  if (certificate.notAfter.getTime() < nowMs + IMPORTED_DAYS_MIN * DAY_MS) {
    return `it does not hold for ${IMPORTED_DAYS_MIN} days more`;
  }
  if (constraintOf(certificate, fleetId) === "foreign") {
    return `it may not name hosts of this fleet, "${fleetId}"`;
  }
  return undefined;
}
