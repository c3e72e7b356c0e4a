import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { type AuthorityFiles, makeAuthority } from "./authority_files.ts";
import { openAuthorityFiles, replaceAuthorityFiles } from "./authority_files.ts";
import { CLIENT_DAYS, CLIENT_DAYS_MAX, CLOCK_SKEW_MS, DAY_MS, OVERLAP_DAYS } from "./dates.ts";
import { fingerprint } from "./fingerprint.ts";
import { agentName, openFleetId } from "./fleet_id.ts";
import { KEY_ALGORITHM, randomSerial } from "./key.ts";
import type { FreshKeyFiles } from "./key_files.ts";
import { type Constraint, constraintOf } from "./name_constraints.ts";
import { requestedKey } from "./requested_key.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "./x509.ts";

export * from "./dates.ts";

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
  /** Days that the certificate holds, 1 to 398; never longer than the authority. Default 90. */
  readonly days?: number;
}

/** An authority whose certificates are accepted. */
export interface AcceptedAuthority {
  readonly certificatePem: string;
  /** SHA-256 of its DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Its name. */
  readonly subject: string;
  /** Unix time in milliseconds until which its own certificate holds. */
  readonly notAfterMs: number;
  /** Unix time in milliseconds until which its certificates are accepted; null = it signs. */
  readonly acceptedUntilMs: number | null;
  /** What it may name. */
  readonly constraint: Constraint;
  /** True when another authority signed it. */
  readonly external: boolean;
}

/** The hive's own certificate authority. It signs agents' certificates and nothing else. */
export class Authority {
  readonly #folder: string;
  readonly #clock: Clock;
  /** Id of the fleet that it signs for. */
  readonly fleetId: string;
  #files: AuthorityFiles;

  private constructor(
    folder: string,
    parts: { readonly files: AuthorityFiles; readonly fleetId: string; readonly clock: Clock },
  ) {
    this.#folder = folder;
    this.#files = parts.files;
    this.#clock = parts.clock;
    this.fleetId = parts.fleetId;
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
    const fleetId = openFleetId(folder);
    const files = await openAuthorityFiles(folder, { fleetId, clock });
    const { certificate } = files.current;
    const why = certificate.getExtension(BasicConstraintsExtension)?.ca !== true
      ? "it is no authority's"
      : constraintOf(certificate, fleetId) === "foreign"
      ? "it may not name agents of this fleet"
      : undefined;
    if (why !== undefined) {
      throw new ImmuneError("STATE_UNUSABLE", `Cannot use certificate "${folder}/ca.pem": ${why}`);
    }
    return new Authority(folder, { files, fleetId, clock });
  }

  /** Certificate (PEM) of the authority that signs. */
  get certificatePem(): string {
    return this.#files.current.certificatePem;
  }

  /** All authorities whose certificates are accepted now, the one that signs first. */
  accepted(): readonly AcceptedAuthority[] {
    const { former } = this.#files;
    const overlaps = former !== undefined && former.untilMs > this.#clock.nowMs();
    return [
      this.#describe(this.certificatePem, null),
      ...(overlaps ? [this.#describe(former.certificatePem, former.untilMs)] : []),
    ];
  }

  /**
   * Puts a new authority in the place of this one, whose key is gone afterwards. Its certificates
   * are accepted for a while, so that each agent can renew with the new one.
   *
   * @param options `overlapDays`: for how long, from 0 = not at all, as after a theft of the key:
   * then every agent has to enrol again. Default 90. `fresh`: the new one, checked by
   * `checkImported`. Default: one is made.
   * @throws {ImmuneError} `ROTATION_TOO_EARLY` when the one before it is still accepted and would
   * be no more; `USAGE`; `STATE_UNUSABLE` when the files cannot be written.
   */
  async rotate(
    options: { readonly overlapDays?: number; readonly fresh?: FreshKeyFiles } = {},
  ): Promise<void> {
    const { overlapDays = OVERLAP_DAYS } = options;
    const nowMs = this.#clock.nowMs();
    if (!(overlapDays >= 0 && overlapDays <= CLIENT_DAYS_MAX)) {
      throw new ImmuneError(
        "USAGE",
        `Cannot overlap for ${overlapDays} days: 0 to ${CLIENT_DAYS_MAX} are allowed`,
      );
    }
    const { former } = this.#files;
    if (overlapDays > 0 && former !== undefined && former.untilMs > nowMs) {
      throw new ImmuneError(
        "ROTATION_TOO_EARLY",
        `Cannot rotate the authority: the one before it is accepted until ` +
          `${new Date(former.untilMs).toISOString()}; wait, or end it at once with an overlap of 0`,
      );
    }
    const fresh = options.fresh ?? await makeAuthority(this.fleetId, nowMs);
    const untilMs = nowMs + overlapDays * DAY_MS;
    try {
      const { certificatePem } = this;
      replaceAuthorityFiles(this.#folder, { fresh, former: { certificatePem, untilMs } });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ImmuneError(
        "STATE_UNUSABLE",
        `Cannot write the authority's files in "${this.#folder}": ${why}`,
        { cause },
      );
    }
    const { fleetId } = this;
    this.#files = await openAuthorityFiles(this.#folder, { fleetId, clock: this.#clock });
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
    const { certificate: issuer, key } = this.#files.current;
    const notAfterMs = Math.min(nowMs + days * DAY_MS, issuer.notAfter.getTime());
    const certificate = await X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      issuer: issuer.subject,
      subject: `CN=${agentId}`,
      notBefore: new Date(nowMs - CLOCK_SKEW_MS),
      notAfter: new Date(notAfterMs),
      publicKey,
      signingKey: key,
      signingAlgorithm: KEY_ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth], true),
        new SubjectAlternativeNameExtension([
          { type: "url", value: AGENT_URI_PREFIX + agentId },
          { type: "dns", value: agentName(agentId, this.fleetId) },
        ]),
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

  #describe(certificatePem: string, acceptedUntilMs: number | null): AcceptedAuthority {
    const certificate = new X509Certificate(certificatePem);
    return {
      certificatePem,
      fingerprint: fingerprint(new Uint8Array(certificate.rawData)),
      subject: certificate.subject,
      notAfterMs: certificate.notAfter.getTime(),
      acceptedUntilMs,
      constraint: constraintOf(certificate, this.fleetId),
      external: certificate.issuer !== certificate.subject,
    };
  }
}
