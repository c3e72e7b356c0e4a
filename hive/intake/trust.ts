import type { ClientTrust } from "../trust/client_certificate.ts";

/** What the agents' port shows and whom it accepts; all of it can be sent to a Worker. */
export interface IntakeTrust {
  /** The hive's server certificate (PEM), which agents pin. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Whose clients are accepted. */
  readonly clients: ClientTrust;
  /** What agents are to pin (DER in base64), the one that is shown first. */
  readonly pins: readonly string[];
  /** `pinSetId` of the pins. */
  readonly pinSet: string;
}
