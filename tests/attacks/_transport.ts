import { batchOf, type Identity, type TestAgent, TestHive } from "../support/intake.ts";
import { ROUTES } from "../../common/link/protocol.ts";
import { agentName } from "../../hive/trust/fleet_id.ts";
import { makeRequest, signWith } from "../../hive/trust/_test_support.ts";
import {
  type Extension,
  type JsonGeneralNames,
  SubjectAlternativeNameExtension,
} from "../../hive/trust/x509.ts";
import { type Attack, sharedAttackTable, told } from "./table.ts";

/** Longest that a request may take, in milliseconds: also an honest one, on a busy host. */
const REQUEST_TIMEOUT_MS = 20_000;

/** A hive that agents deliver to, and two of them. */
export interface Scene {
  readonly hive: TestHive;
  readonly agent: TestAgent;
  readonly other: TestAgent;
}

/** Each request is looked up, and so are open connections: whichever comes first. */
export const NOT_ACCEPTED = /^(403 CERTIFICATE_REFUSED|no answer, (revoked|not_enrolled))$/;
/** Posts with an identity; a connection that ends without an answer tells nothing but its reason. */
export async function post(
  { hive }: Scene,
  identity: Identity | undefined,
  options: { readonly body?: BodyInit } = {},
): Promise<string> {
  const { body = batchOf({ hostId: "0c".repeat(32) }) } = options;
  using client = hive.client(identity);
  return await toldOrCut(hive, () => fetch(hive.url, { method: "POST", body, client }));
}

/** What came back, or that nothing did and what the hive counted for it. */
export async function toldOrCut(hive: TestHive, ask: () => Promise<Response>): Promise<string> {
  let response: Response;
  try {
    response = await ask();
  } catch {
    return await counted(hive);
  }
  return await told(response);
}

/** The reason that the hive gives for what it cut off. */
export async function counted(hive: TestHive): Promise<string> {
  const line = await hive.line(/: \w+$/);
  return `no answer, ${/\w+$/.exec(line)?.[0]}`;
}

/** A certificate that the hive's own authority signed, though it never would. */
export async function forged(
  { hive, agent }: Scene,
  extensions: (names: { uri: string; name: string }) => readonly Extension[],
): Promise<Identity> {
  const { keyPem, request } = await makeRequest();
  const name = agentName(agent.id, hive.authority.fleetId);
  const signed = extensions({ uri: `urn:uuid:${agent.id}`, name });
  return { keyPem, certificatePem: await signWith(hive.folder, { request, extensions: signed }) };
}

/** The names of a certificate. */
export function named(...names: JsonGeneralNames): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension(names);
}

/** The agent's next certificate, as the hive gives it. */
export async function renewed(scene: Scene): Promise<Identity> {
  const { keyPem, request } = await makeRequest();
  const response = await renew(scene, { by: scene.agent, body: { request } });
  return { keyPem, certificatePem: (await response.json()).certificate };
}

/** Asks for a renewal with a body of one's own. */
export async function renew(
  { hive }: Scene,
  { by, body }: { readonly by: Identity; readonly body: unknown },
): Promise<Response> {
  using client = hive.client(by);
  const response = await fetch(hive.url.replace(ROUTES.batches, ROUTES.renew), {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    client,
  });
  return new Response(await response.text(), { status: response.status });
}

/**
 * A table of attacks on the agents' port. Its rows have one hive, and agents of their own.
 *
 * @param subject What of it is attacked.
 * @param rows The rows.
 * @param options `requestTimeoutMs`: less where a row waits it out; default 20 s.
 */
export function transportTable(
  subject: string,
  rows: readonly Attack<Scene>[],
  options: { readonly requestTimeoutMs?: number } = {},
): void {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  sharedAttackTable<TestHive, Scene>({
    subject: `transport, ${subject}`,
    against: async (attack) => {
      const limits = { requestTimeoutMs, timeoutCheckMs: 50, revocationCheckMs: 50 };
      await using hive = await TestHive.start({ limits });
      await attack(hive);
    },
    afresh: async (hive) => {
      // What the row before left behind is told by then.
      while ((await hive.counters()).connections > 0);
      hive.lines.length = 0;
      return { hive, agent: await hive.enrol(), other: await hive.enrol() };
    },
  }, rows);
}
