import type { Context } from "hono";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  RENEW_BYTES_MAX,
  renewRequestSchema,
  type RenewResponse,
} from "../../common/link/protocol.ts";
import { jsonOf } from "../../common/text/json.ts";
import { readBody } from "./body.ts";
import { bindingsOf, type IntakeEnv } from "./identity.ts";

/** An agent that asks for its next certificate. Who it is, its certificate has said. */
export interface Renewal {
  readonly agentId: string;
  /** Fingerprint of the certificate that asks. */
  readonly by: string;
  /** PKCS #10 request (PEM). */
  readonly request: string;
}

/**
 * Signs an agent's next certificate.
 *
 * @throws {ImmuneError} `ENROLL_REFUSED`, `CERTIFICATE_REFUSED`, `RATE_LIMITED`, or of the store.
 */
export type Renew = (renewal: Renewal) => Promise<Pick<RenewResponse, "certificate">>;

/**
 * Reads what `POST /v1/renew` asks for.
 *
 * @param c The request of a client that is known.
 * @returns What to sign.
 * @throws {ImmuneError} `INPUT_MALFORMED`.
 */
export async function readRenewal(c: Context<IntakeEnv>): Promise<Renewal> {
  const bytes = await readBody(bindingsOf(c).body ?? c.req.raw.body ?? new Blob().stream(), {
    bytesMax: RENEW_BYTES_MAX,
    drainBytesMax: RENEW_BYTES_MAX,
    tooLarge: "INPUT_MALFORMED",
  });
  const read = renewRequestSchema.safeParse(jsonOf(new TextDecoder().decode(bytes)));
  if (!read.success) {
    const why = read.error.issues[0]?.message ?? "it does not hold";
    throw new ImmuneError("INPUT_MALFORMED", `Cannot read request for a certificate: ${why}`);
  }
  const { agentId, certificate } = c.var.client;
  return { agentId, by: certificate.fingerprint, request: read.data.request };
}
