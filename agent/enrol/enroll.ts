import { replaceFile } from "../../common/config/durable_file.ts";
import { type Clock, statePaths, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { solveChallenge } from "../../common/keys/proof_of_work.ts";
import { certificateDer, certificatePem, checkPinned, fingerprint } from "../../common/link/pin.ts";
import {
  challengeSchema,
  type EnrollmentToken,
  type EnrollResponse,
  enrollResponseSchema,
  ROUTES,
  ticketSchema,
} from "../../common/link/protocol.ts";
import { decodeToken } from "../../common/link/token.ts";
import { type EnrolmentAnswer, EnrolmentClient } from "./enrolment_client.ts";
import { beginFolder, unusable } from "./folder.ts";
import { writeIdentity } from "./identity.ts";
import { identityPaths } from "./identity_paths.ts";
import { makeKeyAndRequest } from "./request.ts";
import { findWaiting, forgetWaiting, keepWaiting, type Waiting } from "./waiting.ts";

/** Between two questions of an enrolment that waits for an operator, in milliseconds. */
export const TICKET_INTERVAL_MS = 5000;
/** Longest that an enrolment waits for an operator unless told otherwise, in milliseconds. */
export const APPROVAL_MS_MAX = 60 * 60 * 1000;

/** What came of writing the pins. */
export interface HivePin {
  /** SHA-256 of the certificate (DER) that the hive shows, for people to compare. */
  readonly fingerprint: string;
  readonly token: EnrollmentToken;
}

/** What enrolment needs. */
export interface EnrollOptions {
  /** The token's text. */
  readonly token: string;
  /** State folder; its agent's folder is made where there is none (mode 0700). */
  readonly state: string;
  /** 64 lower-case hexadecimal digits. */
  readonly hostId: string;
  readonly hostName: string;
  /** Told once, with the SHA-256 of the key, when an operator has to approve. Default: nobody. */
  readonly onPending?: (keyHash: string) => void;
  /** HTTP proxy to the hive, such as `http://proxy:3128`. Default: none. */
  readonly proxy?: string;
  /** Longest wait for an operator, in milliseconds. Default 1 h. */
  readonly approvalMs?: number;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** What enrolment gave. */
export interface Enrolled {
  readonly agentId: string;
  readonly fleetId: string;
  /** `HOST:PORT` where batches go. */
  readonly agents: string;
  /** SHA-256 of the hive's certificate. */
  readonly fingerprint: string;
}

/**
 * The first step of enrolment: writes what the token says is to be pinned. The second runs in a
 * process started with `pinnedEnvironment`.
 *
 * @param options The token and the state folder.
 * @returns The token, and the fingerprint of the hive's certificate.
 * @throws {ImmuneError} `TOKEN_INVALID`; `STATE_UNUSABLE` when the folder cannot be written;
 * `ENROLL_REFUSED` when the host is enrolled already.
 */
export async function pinHive(
  options: Pick<EnrollOptions, "token" | "state">,
): Promise<HivePin> {
  const token = decodeToken(options.token);
  const pins = pinsOf(token).join("");
  beginFolder(options.state, (agent) => replaceFile(identityPaths(agent).hivePem, pins));
  const [shown = ""] = token.pins;
  return { fingerprint: await fingerprint(Uint8Array.fromBase64(shown)), token };
}

/**
 * Enrols this host: makes a key that never leaves it, does the work that the hive asks for, has the
 * hive sign its certificate, and keeps both with the hive's certificates in the agent's folder.
 *
 * @param options Token, folder and host.
 * @returns Who the agent is now.
 * @throws {ImmuneError} As `pinHive`; `HIVE_UNREACHABLE` when no hive answers or this process would
 * trust others too; `PIN_MISMATCH` when it is not the one of the token; `ENROLL_PENDING` when no
 * operator decided in time; `TOKEN_INVALID`, `CHALLENGE_INVALID`, `RATE_LIMITED` or
 * `ENROLL_REFUSED` as the hive says.
 */
export async function enroll(options: EnrollOptions): Promise<Enrolled> {
  const { fingerprint: hash, token } = await pinHive(options);
  checkPinned();
  const { agent } = statePaths(options.state);
  const pins = pinsOf(token);
  const { proxy } = options;
  using client = new EnrolmentClient(token.enroll, {
    pins,
    ...(proxy === undefined ? {} : { proxy }),
  });
  const { keyPem, granted } = await grantedBy(client, { token, options });
  const { agentId, fleetId, certificate, orders } = granted;
  const { agents } = token;
  const hivePem = pins.join("");
  try {
    const identity = {
      agentId,
      fleetId,
      agents,
      certificatePem: certificate,
      keyPem,
      hivePem,
      orders,
    };
    writeIdentity(identity, agent);
    forgetWaiting(agent);
  } catch (cause) {
    throw unusable(agent, cause);
  }
  return { agentId, fleetId, agents, fingerprint: hash };
}

interface Asking {
  readonly token: EnrollmentToken;
  readonly options: EnrollOptions;
}

/** What the hive grants, and to which key. */
interface Granted {
  readonly keyPem: string;
  readonly granted: EnrollResponse;
}

/** Asks, or goes on with what this token began before the host was stopped. */
async function grantedBy(
  client: EnrolmentClient,
  { token, options }: Asking,
): Promise<Granted> {
  const folder = statePaths(options.state).agent;
  const tokenHash = await fingerprint(new TextEncoder().encode(token.secret));
  const waiting = findWaiting(folder, tokenHash);
  const { keyPem, answer } = waiting === undefined
    ? await ask(client, { token, options, tokenHash, folder })
    : await untilDecided(client, { waiting, options, folder });
  const granted = client.checked(answer, enrollResponseSchema);
  if (certificateDer(granted.certificate) !== undefined) return { keyPem, granted };
  throw client.refused("what answers there gives no certificate", "ENROLL_REFUSED");
}

interface Answered {
  readonly keyPem: string;
  readonly answer: EnrolmentAnswer;
}

async function ask(
  client: EnrolmentClient,
  { token, options, tokenHash, folder }: Asking & {
    readonly tokenHash: string;
    readonly folder: string;
  },
): Promise<Answered> {
  const { secret } = token;
  const { keyPem, keyHash, requestPem: request } = await makeKeyAndRequest();
  const { hostId, hostName } = options;
  const asked = await client.ask(ROUTES.challenge, { tokenHash, keyHash });
  const { challenge, difficulty } = client.checked(asked, challengeSchema);
  const solution = solveChallenge(
    Uint8Array.fromBase64(challenge, { alphabet: "base64url" }),
    difficulty,
  ).toBase64({ alphabet: "base64url", omitPadding: true });
  const body = { secret, request, hostId, hostName, challenge, solution };
  const answer = await client.ask(ROUTES.enroll, body);
  if (answer.status !== 202) return { keyPem, answer };
  const { ticket } = client.checked(answer, ticketSchema);
  const waiting = { ticket, keyHash, keyPem };
  try {
    keepWaiting(folder, { ...waiting, tokenHash });
  } catch (cause) {
    throw unusable(folder, cause);
  }
  return await untilDecided(client, { waiting, options, folder });
}

async function untilDecided(
  client: EnrolmentClient,
  { waiting, options, folder }: {
    readonly waiting: Waiting;
    readonly options: EnrollOptions;
    readonly folder: string;
  },
): Promise<Answered> {
  const { clock = SYSTEM_CLOCK, approvalMs = APPROVAL_MS_MAX } = options;
  const { ticket, keyHash, keyPem } = waiting;
  options.onPending?.(keyHash);
  const endMs = clock.monotonicMs() + approvalMs;
  while (clock.monotonicMs() < endMs) {
    const answer = await decisionOn(client, { ticket, folder });
    if (answer.status === 200) return { keyPem, answer };
    const waited = Promise.withResolvers<void>();
    // A timer of the clock alone would let the process end.
    const alive = setInterval(() => {}, APPROVAL_MS_MAX);
    clock.setTimer(waited.resolve, TICKET_INTERVAL_MS);
    await waited.promise;
    clearInterval(alive);
  }
  const hint = "no operator approved it yet; the same token goes on with it";
  throw client.refused(hint, "ENROLL_PENDING");
}

/** Denied, or unknown by now. */
const OVER: ReadonlySet<number> = new Set([403, 404]);

/** What is over is forgotten: another run begins anew. */
async function decisionOn(
  client: EnrolmentClient,
  { ticket, folder }: { readonly ticket: string; readonly folder: string },
): Promise<EnrolmentAnswer> {
  try {
    return await client.ask(ROUTES.ticket, { ticket });
  } catch (error) {
    if (OVER.has(client.status)) forgetWaiting(folder);
    throw error;
  }
}

/** The token's pins as PEM. */
function pinsOf(token: EnrollmentToken): string[] {
  return token.pins.map((der) => certificatePem(Uint8Array.fromBase64(der)));
}
