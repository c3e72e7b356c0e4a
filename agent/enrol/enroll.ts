import { replaceFile } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { statePaths } from "../../common/config/state.ts";
import { hiveUrl } from "../../common/link/address.ts";
import { printable } from "../../common/link/answer.ts";
import { certificateDer, certificatePem, checkPinned, fingerprint } from "../../common/link/pin.ts";
import {
  type EnrollmentToken,
  type EnrollRequest,
  type EnrollResponse,
  enrollResponseSchema,
  errorSchema,
  ROUTES,
} from "../../common/link/protocol.ts";
import { decodeToken } from "../../common/link/token.ts";
import { boundedText, failure } from "../../common/link/transport.ts";
import { identityPaths, readIdentity, writeIdentity } from "./identity.ts";
import { makeKeyAndRequest } from "./request.ts";

/** Longest answer to an enrolment request that is read, in bytes. */
const ENROLL_ANSWER_BYTES_MAX = 64 * 1024;
/** Longest wait for that answer, in milliseconds. */
export const ENROLL_TIMEOUT_MS = 30_000;

/** What came of writing the pin. */
export interface HivePin {
  /** Path of the hive's certificate (PEM). */
  readonly hivePem: string;
  /** SHA-256 of the certificate (DER), for people to compare. */
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
}

/** What enrolment gave. */
export interface Enrolled {
  readonly agentId: string;
  /** `HOST:PORT` where batches go. */
  readonly agents: string;
  /** SHA-256 of the hive's certificate. */
  readonly fingerprint: string;
}

/**
 * The first step of enrolment: writes the hive's certificate, which the token carries. The second
 * runs in a process started with `pinnedEnvironment` of it.
 *
 * @param options The token and the state folder.
 * @returns Where the certificate lies, and its fingerprint.
 * @throws {ImmuneError} `TOKEN_INVALID`; `STATE_UNUSABLE` when the folder cannot be written;
 * `ENROLL_REFUSED` when the host is enrolled already.
 */
export async function pinHive(
  options: Pick<EnrollOptions, "token" | "state">,
): Promise<HivePin> {
  const token = decodeToken(options.token);
  const { agent } = statePaths(options.state);
  const identity = readIdentity(agent);
  if (identity !== undefined) {
    throw new ImmuneError(
      "ENROLL_REFUSED",
      `Cannot enrol: this host is agent "${identity.agentId}" of the hive at ` +
        `"${identity.agents}"; to leave that hive, remove "${agent}/agent.json"`,
    );
  }
  const der = Uint8Array.fromBase64(token.certificate);
  const { hivePem } = identityPaths(agent);
  try {
    Deno.mkdirSync(agent, { recursive: true, mode: 0o700 });
    replaceFile(hivePem, certificatePem(der));
  } catch (cause) {
    throw unusable(agent, cause);
  }
  return { hivePem, fingerprint: await fingerprint(der), token };
}

/**
 * Enrols this host: makes a key that never leaves it, has the hive sign its certificate, and keeps
 * both with the hive's certificate in the agent's folder.
 *
 * @param options Token, folder and host.
 * @returns Who the agent is now.
 * @throws {ImmuneError} As `pinHive`; `HIVE_UNREACHABLE` when no hive answers, it is not the one of
 * the token, or this process would trust others too; `TOKEN_INVALID` or `ENROLL_REFUSED` as the
 * hive says.
 */
export async function enroll(options: EnrollOptions): Promise<Enrolled> {
  const { hivePem: hivePemPath, fingerprint: hash, token } = await pinHive(options);
  checkPinned(hivePemPath);
  const { agent } = statePaths(options.state);
  const hivePem = certificatePem(Uint8Array.fromBase64(token.certificate));
  const { keyPem, requestPem } = await makeKeyAndRequest();
  const { agentId, certificate, orders } = await ask(token, {
    hivePem,
    request: {
      secret: token.secret,
      request: requestPem,
      hostId: options.hostId,
      hostName: options.hostName,
    },
  });
  const { agents } = token;
  try {
    const identity = { agentId, agents, certificatePem: certificate, keyPem, hivePem, orders };
    writeIdentity(identity, agent);
  } catch (cause) {
    throw unusable(agent, cause);
  }
  return { agentId, agents, fingerprint: hash };
}

async function ask(
  token: EnrollmentToken,
  { hivePem, request }: { readonly hivePem: string; readonly request: EnrollRequest },
): Promise<EnrollResponse> {
  using client = Deno.createHttpClient({ caCerts: [hivePem] });
  let status: number;
  let text: string;
  try {
    const response = await fetch(hiveUrl(token.enroll, ROUTES.enroll), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
      redirect: "manual",
      client,
      signal: AbortSignal.timeout(ENROLL_TIMEOUT_MS),
    });
    status = response.status;
    text = await boundedText(response, ENROLL_ANSWER_BYTES_MAX);
  } catch (cause) {
    throw new ImmuneError(
      "HIVE_UNREACHABLE",
      `Cannot enrol at "${token.enroll}": ${failure(cause)}; check that the hive runs there and ` +
        "that the token is its newest",
      { cause },
    );
  }
  return enrolment(status, { text, enroll: token.enroll });
}

function enrolment(
  status: number,
  { text, enroll: address }: { readonly text: string; readonly enroll: string },
): EnrollResponse {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const found = enrollResponseSchema.safeParse(body);
  if (status === 200 && found.success && certificateDer(found.data.certificate) !== undefined) {
    return found.data;
  }
  const error = errorSchema.safeParse(body).data?.error;
  const why = printable(error?.message ?? `HTTP status ${status}, which is no answer of a hive`);
  throw new ImmuneError(
    error?.code === "TOKEN_INVALID" ? "TOKEN_INVALID" : "ENROLL_REFUSED",
    `Cannot enrol at "${address}": ${why}`,
  );
}

function unusable(folder: string, cause: unknown): ImmuneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot use state folder "${folder}": ${why}; name another with --state`,
    { cause },
  );
}
