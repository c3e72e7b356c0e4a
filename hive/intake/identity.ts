import type { Context, MiddlewareHandler } from "hono";
import type { Clock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { type CheckedCertificate, wrongDates } from "../trust/client_certificate.ts";
import type { Store } from "../store/store.ts";
import { errorAnswer } from "./answer.ts";
import type { BodyChunks } from "./body.ts";
import { fromStore } from "./deadline.ts";
import type { Refusal, Refusals } from "./refusals.ts";

/** Who sends a request. */
export interface Client {
  readonly agentId: string;
  /** 64 lower-case hexadecimal digits. */
  readonly hostId: string;
  readonly certificate: CheckedCertificate;
}

/** Types of the agents' Hono app. */
export interface IntakeEnv {
  readonly Bindings: {
    /** The certificate that the TLS socket showed and that was checked; absent elsewhere. */
    readonly peer?: CheckedCertificate;
    /** The body as the server reads it. Default: the request's own. */
    readonly body?: BodyChunks;
    /** Address of the other end, for the log. */
    readonly from?: string;
  };
  readonly Variables: { client: Client };
}

/**
 * Tells which certificate a client has shown. No header is a source: whoever reaches the port could
 * set it.
 */
export type CertificateSource = (c: Context<IntakeEnv>) => CheckedCertificate | undefined;

/** The source that is used where this program ends TLS itself. */
export function tlsSocketSource(c: Context<IntakeEnv>): CheckedCertificate | undefined {
  return bindingsOf(c).peer;
}

/**
 * What the server tells about a request.
 *
 * @param c The request.
 * @returns The same, empty where the app is asked without a server.
 */
export function bindingsOf(c: Context<IntakeEnv>): IntakeEnv["Bindings"] {
  return (c.env as IntakeEnv["Bindings"] | undefined) ?? {};
}

/** Options of {@linkcode identify}. */
export interface IdentifyOptions {
  readonly source: CertificateSource;
  readonly store: Pick<Store, "certificate" | "confirmCertificate">;
  readonly refusals: Refusals;
  readonly clock: Clock;
}

/**
 * The one place that says who a client is: its certificate is looked up at every request, so that a
 * revocation or the end of its dates counts at once, on open connections too.
 *
 * @param options Where the certificate comes from and what it is held against.
 * @returns The middleware; it sets `client` or answers 403 `CERTIFICATE_REFUSED`.
 */
export function identify(options: IdentifyOptions): MiddlewareHandler<IntakeEnv> {
  const { source, store, refusals, clock } = options;
  return async (c, next) => {
    const from = bindingsOf(c).from ?? "a client";
    const refuse = (reason: Refusal, message: string): Response => {
      refusals.add(reason, from);
      return errorAnswer(new ImmuneError("CERTIFICATE_REFUSED", message));
    };
    const shown = source(c);
    if (shown === undefined) return refuse("no_certificate", "Cannot see a client certificate");
    const wrong = wrongDates(shown, clock.nowMs());
    if (wrong !== undefined) {
      return refuse("bad_certificate", `Cannot accept the certificate: ${wrong}`);
    }
    const row = await fromStore(store.certificate(shown.fingerprint), clock);
    if (row === undefined || row.agentId !== shown.agentId) {
      return refuse("not_enrolled", "Cannot accept the certificate: it is not enrolled here");
    }
    if (row.revoked) {
      return refuse(
        "revoked",
        "Cannot accept the certificate: it was revoked, or followed by another",
      );
    }
    const { agentId, hostId, fingerprint } = row;
    // From now on it is the only one of this agent.
    if (row.unused) await fromStore(store.confirmCertificate(fingerprint), clock);
    c.set("client", { agentId, hostId, certificate: shown });
    return await next();
  };
}
