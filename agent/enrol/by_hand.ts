import "reflect-metadata";
import { X509Certificate } from "@peculiar/x509";
import { createPrivateKey, createPublicKey } from "node:crypto";
import * as z from "zod";
import { readIfThere, replaceFile } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { certificateDer, certificatePem, fingerprint } from "../../common/link/pin.ts";
import { orderTrustSchema } from "../../common/link/protocol.ts";
import { jsonOf } from "../../common/text/json.ts";
import type { Enrolled } from "./enroll.ts";
import { beginFolder, unusable } from "./folder.ts";
import { writeIdentity } from "./identity.ts";
import { identityPaths } from "./identity_paths.ts";
import { type KeyAndRequest, makeKeyAndRequest } from "./request.ts";

/** Longest answer of `immune ca issue` that is read, in characters. */
export const ISSUED_CHARACTERS_MAX = 64 * 1024;

/** What `immune ca issue --json` prints; the rest of it is not looked at. */
const issuedSchema = z.object({
  agentId: z.uuid(),
  fleetId: z.uuid(),
  certificate: z.string(),
  pins: z.array(z.base64()).length(2),
  orders: orderTrustSchema.nullable(),
});

/**
 * Makes a key on this host, and the request by which an operator has it signed by hand.
 *
 * @param state State folder; the key stays in its agent's folder (mode 0600).
 * @returns The request, and the hash of the key.
 * @throws {ImmuneError} `ENROLL_REFUSED` when the host is enrolled already, `STATE_UNUSABLE`.
 */
export async function requestByHand(
  state: string,
): Promise<Pick<KeyAndRequest, "requestPem" | "keyHash">> {
  const { keyPem, requestPem, keyHash } = await makeKeyAndRequest();
  beginFolder(state, (agent) => replaceFile(identityPaths(agent).agentKey, keyPem));
  return { requestPem, keyHash };
}

/** What is installed, and where. */
export interface ByHandOptions {
  /** State folder. */
  readonly state: string;
  /** What `immune ca issue --json` printed. */
  readonly issued: string;
  /** `HOST:PORT` where batches go. */
  readonly agents: string;
}

/**
 * Enrols this host with a certificate that an operator had signed by hand, without asking the hive.
 *
 * @param options What was signed, and where the hive is.
 * @returns Who the agent is now.
 * @throws {ImmuneError} `ENROLL_REFUSED` when the host is enrolled already, or the certificate is
 * not for its key; `INPUT_MALFORMED` for another text; `STATE_UNUSABLE`.
 */
export async function installByHand(
  { state, issued, agents }: ByHandOptions,
): Promise<Enrolled> {
  const folder = beginFolder(state);
  const found = issuedSchema.safeParse(jsonOf(issued.slice(0, ISSUED_CHARACTERS_MAX)));
  if (!found.success) {
    const hint = 'name what "immune ca issue --json" printed';
    throw new ImmuneError("INPUT_MALFORMED", `Cannot install this certificate: ${hint}`);
  }
  const { agentId, fleetId, certificate, pins, orders } = found.data;
  const keyPem = readIfThere(identityPaths(folder).agentKey);
  if (keyPem === undefined || !isFor(certificate, keyPem)) {
    const why = 'it is not for the key that "immune enroll --request" made here';
    throw new ImmuneError("ENROLL_REFUSED", `Cannot install this certificate: ${why}`);
  }
  const ders = pins.map((pin) => Uint8Array.fromBase64(pin));
  const identity = {
    agentId,
    fleetId,
    agents,
    certificatePem: certificate,
    keyPem,
    hivePem: ders.map(certificatePem).join(""),
    ...(orders === null ? {} : { orders }),
  };
  try {
    writeIdentity(identity, folder);
  } catch (cause) {
    throw unusable(folder, cause);
  }
  const [shown = new Uint8Array()] = ders;
  return { agentId, fleetId, agents, fingerprint: await fingerprint(shown) };
}

function isFor(certificate: string, keyPem: string): boolean {
  const der = certificateDer(certificate);
  if (der === undefined) return false;
  try {
    const key = createPublicKey(createPrivateKey(keyPem)).export({ type: "spki", format: "der" });
    const wanted = new Uint8Array(new X509Certificate(der).publicKey.rawData);
    return wanted.toHex() === new Uint8Array(key).toHex();
  } catch {
    return false;
  }
}
