import { type KeyObject, X509Certificate as SyncCertificate } from "node:crypto";
import { AGENT_URI_PREFIX } from "./authority.ts";
import { derElement, derElements } from "./der.ts";
import { fingerprint } from "./fingerprint.ts";
import { agentName, isUuid } from "./fleet_id.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "./x509.ts";

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const NOTHING = new Uint8Array();

/** What a client's certificate says, once it was checked. */
export interface CheckedCertificate {
  /** SHA-256 of its DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** The agent's id, from its SAN. */
  readonly agentId: string;
  /** Unix time in milliseconds from which it holds. */
  readonly notBeforeMs: number;
  /** Unix time in milliseconds until which it holds. */
  readonly notAfterMs: number;
}

/** Outcome of a check: the certificate, or why it is refused. */
export type CertificateCheck =
  | { readonly ok: true; readonly certificate: CheckedCertificate }
  | { readonly ok: false; readonly why: string };

/** Whose certificates are accepted; all of it can be sent to a Worker. */
export interface ClientTrust {
  /** Certificates (PEM) of the accepted authorities. */
  readonly authoritiesPem: readonly string[];
  readonly fleetId: string;
}

/** Holds clients' certificates against the hive's own authorities, apart from what TLS did. */
export class ClientCertificateChecker {
  readonly #authorities: readonly { certificate: SyncCertificate; key: KeyObject }[];
  readonly #fleetId: string;

  /** @param trust Authorities and fleet. */
  constructor({ authoritiesPem, fleetId }: ClientTrust) {
    this.#authorities = authoritiesPem.map((pem) => {
      const certificate = new SyncCertificate(pem);
      return { certificate, key: certificate.publicKey };
    });
    this.#fleetId = fleetId;
  }

  /**
   * Checks issuer, signature, dates, usage and name of a certificate. That it is enrolled and not
   * revoked is for the store to say.
   *
   * @param der The certificate (DER).
   * @param nowMs Unix time in milliseconds.
   * @returns What it says, or why it is refused.
   */
  check(der: Uint8Array, nowMs: number): CertificateCheck {
    try {
      return this.#check(der, nowMs);
    } catch {
      return { ok: false, why: "it cannot be read" };
    }
  }

  #check(der: Uint8Array, nowMs: number): CertificateCheck {
    const bytes = new Uint8Array(der);
    if (!isExact(bytes)) return { ok: false, why: "it cannot be read" };
    const signed = new SyncCertificate(bytes);
    const isOurs = this.#authorities.some(({ certificate, key }) =>
      signed.checkIssued(certificate) && signed.verify(key)
    );
    if (!isOurs) return { ok: false, why: "another authority signed it" };
    const read = new X509Certificate(bytes);
    const notBeforeMs = read.notBefore.getTime();
    const notAfterMs = read.notAfter.getTime();
    const wrong = wrongDates({ notBeforeMs, notAfterMs }, nowMs) ?? wrongUsage(read);
    if (wrong !== undefined) return { ok: false, why: wrong };
    const agentId = agentIdOf(read, this.#fleetId);
    if (agentId === undefined) return { ok: false, why: "it names no agent" };
    const certificate = { fingerprint: fingerprint(bytes), agentId, notBeforeMs, notAfterMs };
    return { ok: true, certificate };
  }
}

/**
 * Whether what the signature leaves out is as it has to be (RFC 5280, section 4.1.1). The
 * fingerprint is that of all bytes: no other bytes may be the same certificate to a reader that is
 * less strict.
 */
function isExact(bytes: Uint8Array): boolean {
  const [whole, ...behind] = derElements(bytes);
  const [content, algorithm, signature, ...more] = derElements(whole?.content ?? NOTHING);
  if (content === undefined || algorithm === undefined || signature === undefined) return false;
  const [, , named] = derElements(content.content);
  const exact = derElement(
    SEQUENCE,
    derElement(SEQUENCE, content.content),
    // The signed part names it too.
    derElement(SEQUENCE, named?.content ?? NOTHING),
    derElement(BIT_STRING, signature.content),
  );
  return behind.length === 0 && more.length === 0 && signature.content[0] === 0 &&
    exact.length === bytes.length && exact.every((byte, i) => byte === bytes[i]);
}

/**
 * Whether a certificate holds at a time (RFC 5280, section 4.1.2.5: both ends included).
 *
 * @param dates From when until when, Unix time in milliseconds.
 * @param nowMs Unix time in milliseconds.
 * @returns Why it does not hold, or `undefined`.
 */
export function wrongDates(
  dates: Pick<CheckedCertificate, "notBeforeMs" | "notAfterMs">,
  nowMs: number,
): string | undefined {
  if (nowMs < dates.notBeforeMs) return "it does not hold yet";
  return nowMs > dates.notAfterMs ? "it has run out" : undefined;
}

function wrongUsage(certificate: X509Certificate): string | undefined {
  if (certificate.getExtension(BasicConstraintsExtension)?.ca === true) {
    return "it is an authority's";
  }
  const usages = certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? [];
  const holds = usages.length === 1 && usages[0] === ExtendedKeyUsage.clientAuth;
  return holds ? undefined : "it is not for clients";
}

/** Id and name have to be of one agent of the fleet, and no other name may stand beside them. */
function agentIdOf(certificate: X509Certificate, fleetId: string): string | undefined {
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  const valueOf = (wanted: "url" | "dns"): string =>
    names.find(({ type }) => type === wanted)?.value ?? "";
  const id = valueOf("url").slice(AGENT_URI_PREFIX.length);
  const holds = names.length === 2 && isUuid(id) && valueOf("url") === AGENT_URI_PREFIX + id &&
    valueOf("dns") === agentName(id, fleetId);
  return holds ? id : undefined;
}
