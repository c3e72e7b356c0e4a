import { batchOf, type Identity, type TestAgent, TestHive } from "../support/intake.ts";
import { openssl } from "../support/openssl.ts";
import { brokenSignature, requestOf } from "../support/requests.ts";
import { RENEW_BYTES_MAX, ROUTES } from "../../common/link/protocol.ts";
import { BATCH_BYTES_MAX } from "../../common/wire/mod.ts";
import { agentName } from "../../hive/trust/fleet_id.ts";
import { Authority, DAY_MS, fingerprint } from "../../hive/trust/mod.ts";
import { inFolder, makeRequest, requestWith, signWith } from "../../hive/trust/_test_support.ts";
import { FakeClock } from "../../common/config/mod.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "../../hive/trust/x509.ts";
import { EnrolmentClient } from "../../agent/enrol/enrolment_client.ts";
import { type Attack, sharedAttackTable, thrownBy, told } from "./table.ts";

/** A hive that agents deliver to, and two of them. */
interface Scene {
  readonly hive: TestHive;
  readonly agent: TestAgent;
  readonly other: TestAgent;
}

const UTF8 = new TextEncoder();
/** Each request is looked up, and so are open connections: whichever comes first. */
const NOT_ACCEPTED = /^(403 CERTIFICATE_REFUSED|no answer, (revoked|not_enrolled))$/;
const CLIENTS = new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]);
const SERVERS = new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]);
const BOTH = new ExtendedKeyUsageExtension([
  ExtendedKeyUsage.clientAuth,
  ExtendedKeyUsage.serverAuth,
]);

/** Posts with an identity; a connection that ends without an answer tells nothing but its reason. */
async function post(
  { hive }: Scene,
  identity: Identity | undefined,
  body: BodyInit = batchOf({ hostId: "0c".repeat(32) }),
): Promise<string> {
  using client = hive.client(identity);
  return await toldOrCut(hive, () => fetch(hive.url, { method: "POST", body, client }));
}

/** What came back, or that nothing did and what the hive counted for it. */
async function toldOrCut(hive: TestHive, ask: () => Promise<Response>): Promise<string> {
  let response: Response;
  try {
    response = await ask();
  } catch {
    return await counted(hive);
  }
  return await told(response);
}

async function counted(hive: TestHive): Promise<string> {
  const line = await hive.line(/: \w+$/);
  return `no answer, ${/\w+$/.exec(line)?.[0]}`;
}

/** A certificate that the hive's own authority signed, though it never would. */
async function forged(
  { hive, agent }: Scene,
  extensions: (names: { uri: string; name: string }) => readonly Extension[],
): Promise<Identity> {
  const { keyPem, request } = await makeRequest();
  const name = agentName(agent.id, hive.authority.fleetId);
  const signed = extensions({ uri: `urn:uuid:${agent.id}`, name });
  return { keyPem, certificatePem: await signWith(hive.folder, { request, extensions: signed }) };
}

function named(...names: JsonGeneralNames): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension(names);
}

/** Asks for a renewal with a body of one's own. */
async function renew(
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

/** Writes to an open connection and reads until it ends. */
async function raw(
  { hive, agent }: Scene,
  pieces: readonly (string | Uint8Array)[],
): Promise<string> {
  using connection = await hive.connect(agent);
  try {
    for (const piece of pieces) {
      await connection.write(typeof piece === "string" ? UTF8.encode(piece) : piece);
    }
    const buffer = new Uint8Array(4096);
    for (let length = await connection.read(buffer); length !== null;) {
      length = await connection.read(buffer);
    }
  } catch {
    // Cut off in the middle of it.
  }
  return await counted(hive);
}

const CERTIFICATES: readonly Attack<Scene>[] = [
  {
    tries: "no certificate",
    refused: "no answer, no_certificate",
    attempt: (scene) => post(scene, undefined),
  },
  {
    tries: "a certificate of its own making",
    refused: "no answer, bad_certificate",
    attempt: ({ hive, ...scene }) => post({ hive, ...scene }, hive.server),
  },
  {
    tries: "a certificate of another hive's authority",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      let seen = "";
      await inFolder(async (folder) => {
        const { keyPem, request } = await makeRequest();
        const foreign = await Authority.open(folder);
        const { pem } = await foreign.sign(request, { agentId: scene.agent.id });
        seen = await post(scene, { keyPem, certificatePem: pem });
      });
      return seen;
    },
  },
  {
    tries: "a certificate of an authority that calls itself the same, fleet and all",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      let seen = "";
      await inFolder(async (folder) => {
        Deno.copyFileSync(`${scene.hive.folder}/fleet`, `${folder}/fleet`);
        const { keyPem, request } = await makeRequest();
        const foreign = await Authority.open(folder);
        const { pem } = await foreign.sign(request, { agentId: scene.agent.id });
        seen = await post(scene, { keyPem, certificatePem: pem });
      });
      return seen;
    },
  },
  {
    tries: "a certificate that an agent signed with its own key",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      let seen = "";
      await inFolder(async (folder) => {
        const { hive, agent } = scene;
        Deno.writeTextFileSync(`${folder}/ca.pem`, agent.certificatePem);
        Deno.writeTextFileSync(`${folder}/ca.key`, agent.keyPem);
        const { keyPem, request } = await makeRequest();
        const name = agentName(agent.id, hive.authority.fleetId);
        const san = named({ type: "url", value: `urn:uuid:${agent.id}` }, {
          type: "dns",
          value: name,
        });
        const pem = await signWith(folder, { request, extensions: [san, CLIENTS] });
        seen = await post(scene, { keyPem, certificatePem: `${pem}\n${agent.certificatePem}` });
      });
      return seen;
    },
  },
  {
    tries: "a certificate that has run out",
    refused: "no answer, bad_certificate",
    attempt: (scene) => signedAt(scene, { at: -3 * DAY_MS, days: 1 }),
  },
  {
    tries: "a certificate that does not hold yet",
    refused: "no answer, bad_certificate",
    attempt: (scene) => signedAt(scene, { at: 2 * DAY_MS, days: 1 }),
  },
  {
    tries: "a certificate for servers",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
          SERVERS,
        ]),
      ),
  },
  {
    tries: "a certificate for clients and servers",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
          BOTH,
        ]),
      ),
  },
  {
    tries: "a certificate that names no usage",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
        ]),
      ),
  },
  {
    tries: "a certificate with an authority's right",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
          CLIENTS,
          new BasicConstraintsExtension(true),
        ]),
      ),
  },
  {
    tries: "a certificate without the fleet's name",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri }) => [named({ type: "url", value: uri }), CLIENTS]),
      ),
  },
  {
    tries: "a certificate for another fleet",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri }) => [
          named({ type: "url", value: uri }, {
            type: "dns",
            value: agentName(scene.agent.id, crypto.randomUUID()),
          }),
          CLIENTS,
        ]),
      ),
  },
  {
    tries: "a certificate with one agent's id and another's name",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ name }) => [
          named({ type: "url", value: `urn:uuid:${scene.other.id}` }, { type: "dns", value: name }),
          CLIENTS,
        ]),
      ),
  },
  {
    tries: "a certificate that names an address besides",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }, {
            type: "ip",
            value: "127.0.0.1",
          }),
          CLIENTS,
        ]),
      ),
  },
  {
    tries: "a good certificate that is in no row",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      const { keyPem, request } = await makeRequest();
      const { pem } = await scene.hive.authority.sign(request, { agentId: scene.agent.id });
      return await post(scene, { keyPem, certificatePem: pem });
    },
  },
];

async function signedAt(
  scene: Scene,
  { at, days }: { readonly at: number; readonly days: number },
): Promise<string> {
  const { keyPem, request } = await makeRequest();
  const clock = new FakeClock(Date.now() + at);
  const then = await Authority.open(scene.hive.folder, { clock });
  const { pem } = await then.sign(request, { agentId: scene.agent.id, days });
  return await post(scene, { keyPem, certificatePem: pem });
}

const SESSIONS: readonly Attack<Scene>[] = [
  {
    tries: "TLS 1.2",
    refused: "no answer, tls_version",
    attempt: async ({ hive, agent }) => {
      await openssl(hive, { identity: agent, args: ["-tls1_2"] });
      return await counted(hive);
    },
  },
  {
    tries: "TLS 1.2 behind a rotation of the server's certificate",
    refused: "no answer, tls_version",
    attempt: async ({ hive, agent }) => {
      await hive.trust.rotateServer(true);
      await hive.counters();
      await openssl(hive, { identity: agent, args: ["-tls1_2"] });
      return await counted(hive);
    },
  },
  {
    tries: "plain HTTP",
    refused: "no answer, handshake",
    attempt: ({ hive }) => toldOrCut(hive, () => fetch(hive.url.replace("https", "http"))),
  },
  {
    tries: "a session that is resumed",
    refused: "no answer, resumed",
    attempt: async ({ hive, agent }) => {
      const session = `${hive.folder}/session`;
      await openssl(hive, { identity: agent, args: ["-sess_out", session, "-ign_eof"] });
      hive.lines.length = 0;
      await openssl(hive, { identity: agent, args: ["-sess_in", session, "-ign_eof"] });
      return await counted(hive);
    },
  },
  {
    tries: "a session of before a revocation, resumed behind it",
    refused: "no answer, resumed",
    attempt: async ({ hive, agent }) => {
      const session = `${hive.folder}/session`;
      await openssl(hive, { identity: agent, args: ["-sess_out", session, "-ign_eof"] });
      await hive.store.revokeAgent(agent.id);
      hive.lines.length = 0;
      await openssl(hive, { identity: agent, args: ["-sess_in", session, "-ign_eof"] });
      return await counted(hive);
    },
  },
  {
    tries: "one connection more than a certificate may have",
    refused: "no answer, connections",
    attempt: async ({ hive, agent }) => {
      const open: Deno.TlsConn[] = [];
      for (let i = 0; i < 9; i++) open.push(await hive.connect(agent));
      // Those that are open may run out of time meanwhile: that is counted too.
      await hive.line(/: connections$/);
      for (const connection of open) connection.close();
      return "no answer, connections";
    },
  },
];

const REVOCATION: readonly Attack<Scene>[] = [
  {
    tries: "a revoked certificate",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      await scene.hive.store.revokeAgent(scene.agent.id);
      return await post(scene, scene.agent);
    },
  },
  {
    tries: "an idle connection that goes on behind a revocation",
    refused: "no answer, revoked",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      await hive.store.revokeAgent(agent.id);
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
  {
    tries: "a body that is on its way while its sender is revoked",
    refused: "no answer, revoked",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      const head = "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 4000\r\n\r\n";
      await connection.write(UTF8.encode(head));
      await hive.store.revokeAgent(agent.id);
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
  {
    tries: "a certificate whose successor was used",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      const next = await renewed(scene);
      await post(scene, next, batchOf({ hostId: scene.agent.hostId }));
      return await post(scene, scene.agent);
    },
  },
  {
    tries: "a connection of a certificate whose successor is used",
    refused: "no answer, revoked",
    attempt: async (scene) => {
      const { hive, agent } = scene;
      const next = await renewed(scene);
      using connection = await hive.connect(agent);
      await post(scene, next, batchOf({ hostId: agent.hostId }));
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
  {
    tries: "a certificate of an authority that was replaced without an overlap",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      await scene.hive.trust.rotateAuthority(0);
      await scene.hive.counters();
      return await post(scene, scene.agent);
    },
  },
  {
    tries: "a connection of an authority that is replaced without an overlap",
    refused: "no answer, bad_certificate",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      await hive.trust.rotateAuthority(0);
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
];

/** The agent's next certificate, as the hive gives it. */
async function renewed(scene: Scene): Promise<Identity> {
  const { keyPem, request } = await makeRequest();
  const response = await renew(scene, { by: scene.agent, body: { request } });
  return { keyPem, certificatePem: (await response.json()).certificate };
}

const RENEWAL: readonly Attack<Scene>[] = [
  {
    tries: "a renewal whose request names another agent: the names are the hive's",
    refused: "own name",
    attempt: async (scene) => {
      const { agent, other, hive } = scene;
      const { request } = await requestWith({
        name: `CN=${other.id}`,
        names: [{ type: "url", value: `urn:uuid:${other.id}` }],
      });
      const { certificate } = await (await renew(scene, { by: agent, body: { request } })).json();
      const read = new X509Certificate(certificate);
      const der = new Uint8Array(PemConverter.decodeFirst(certificate));
      const row = await hive.store.certificate(fingerprint(der));
      const own = read.subject === `CN=${agent.id}` && row?.agentId === agent.id;
      return own && !read.toString("text").includes(other.id) ? "own name" : "another's name";
    },
  },
  {
    tries: "a renewal that says whose it is to be",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => {
      const { request } = await makeRequest();
      const body = { request, agentId: scene.other.id };
      return await told(await renew(scene, { by: scene.agent, body }));
    },
  },
  {
    tries: "a renewal by a revoked agent",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      await scene.hive.store.revokeAgent(scene.agent.id);
      const { request } = await makeRequest();
      const ask = (): Promise<Response> => renew(scene, { by: scene.agent, body: { request } });
      return await toldOrCut(scene.hive, ask);
    },
  },
  {
    tries: "a renewal with a weak key",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const request = await requestOf(["-newkey", "rsa:1024"]);
      return await told(await renew(scene, { by: scene.agent, body: { request } }));
    },
  },
  {
    tries: "a renewal for a key that did not sign the request",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const request = brokenSignature((await makeRequest()).request);
      return await told(await renew(scene, { by: scene.agent, body: { request } }));
    },
  },
  {
    tries: "one renewal behind the other",
    refused: "429 RATE_LIMITED",
    attempt: async (scene) => {
      await renewed(scene);
      const { request } = await makeRequest();
      return await told(await renew(scene, { by: scene.agent, body: { request } }));
    },
  },
  {
    tries: "a renewal over the bound",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) =>
      await told(await renew(scene, { by: scene.agent, body: " ".repeat(RENEW_BYTES_MAX + 1) })),
  },
];

const REQUESTS: readonly Attack<Scene>[] = [
  {
    tries: "a batch in another host's name",
    refused: "403 AGENT_MISMATCH",
    attempt: (scene) => post(scene, scene.agent, batchOf({ hostId: scene.other.hostId })),
  },
  {
    tries: "an operator's token instead of a certificate",
    refused: "no answer, no_certificate",
    attempt: async ({ hive }) => {
      using client = hive.client();
      const headers = { authorization: `Bearer ${"A".repeat(43)}` };
      return await toldOrCut(hive, () => fetch(hive.url, { method: "POST", headers, client }));
    },
  },
  ...["/api/v1/status", "/v1/../../etc/passwd", "/v1/batches/..%2f..%2fca.key", "/%00"].map((
    path,
  ): Attack<Scene> => ({
    tries: `the path ${path}`,
    refused: "404 NOT_FOUND",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      const request = `GET ${path} HTTP/1.1\r\nHost: hive\r\nConnection: close\r\n\r\n`;
      await connection.write(UTF8.encode(request));
      const answer = await new Response(connection.readable).text().catch(String);
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      return `${status} ${/"code":"(\w+)"/.exec(answer)?.[1]}`;
    },
  })),
  {
    tries: "a body over the bound",
    refused: "413 BATCH_TOO_LARGE",
    attempt: (scene) => post(scene, scene.agent, new Uint8Array(BATCH_BYTES_MAX + 1)),
  },
  {
    tries: "a body that never comes",
    refused: "no answer, request",
    attempt: (scene) =>
      raw(scene, ["POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 99\r\n\r\n"]),
  },
  {
    tries: "headers that never end",
    refused: "no answer, request",
    attempt: (scene) => raw(scene, ["POST /v1/batches HTTP/1.1\r\nHost: hive\r\nA: "]),
  },
  {
    tries: "headers over the bound",
    refused: "no answer, request",
    attempt: (scene) =>
      raw(scene, [`POST /v1/batches HTTP/1.1\r\nHost: hive\r\nA: ${"a".repeat(70_000)}\r\n\r\n`]),
  },
  {
    tries: "a second request before the first is answered",
    refused: "no answer, request",
    attempt: (scene) => {
      const head = "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 2\r\n\r\nab";
      return raw(scene, [head + head]);
    },
  },
  {
    tries: "two lengths of one body",
    refused: "no answer, request",
    attempt: (scene) =>
      raw(scene, [
        "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 2\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ]),
  },
];

const PINS: readonly Attack<Scene>[] = [
  {
    tries: "another hive at the same address",
    refused: "PIN_MISMATCH",
    attempt: async ({ hive }) => {
      await using impostor = await TestHive.start();
      return await pinnedBy(hive.server.successor.certificatePem, impostor);
    },
  },
  {
    tries: "the certificate of before the last two rotations",
    refused: "PIN_MISMATCH",
    attempt: async ({ hive }) => {
      const { certificatePem } = hive.server;
      await hive.trust.rotateServer(true);
      await hive.trust.rotateServer(true);
      await hive.counters();
      return await pinnedBy(certificatePem, hive);
    },
  },
  {
    tries: "a certificate that the hive's authority signed, shown as the hive's",
    refused: "PIN_MISMATCH",
    attempt: async (scene) => {
      const { hive } = scene;
      const { keyPem, certificatePem } = await forged(scene, () => [
        named({ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }),
        SERVERS,
      ]);
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, cert: certificatePem, key: keyPem, onListen: () => {} },
        () => new Response("{}"),
      );
      return await pinnedAt(hive.server.certificatePem, server.addr.port);
    },
  },
];

function pinnedBy(pem: string, hive: TestHive): Promise<string> {
  return pinnedAt(pem, hive.intake.port);
}

/** What a client that pins a certificate says of whoever answers at a port. */
async function pinnedAt(pem: string, port: number): Promise<string> {
  using client = new EnrolmentClient(`127.0.0.1:${port}`, [pem]);
  return await thrownBy(() => client.ask(ROUTES.batches, {}));
}

sharedAttackTable<TestHive, Scene>({
  subject: "transport",
  against: async (attack) => {
    const limits = { requestTimeoutMs: 400, timeoutCheckMs: 50, revocationCheckMs: 50 };
    await using hive = await TestHive.start({ limits });
    await attack(hive);
  },
  afresh: async (hive) => {
    // What the row before left behind is told by then.
    while ((await hive.counters()).connections > 0);
    hive.lines.length = 0;
    return { hive, agent: await hive.enrol(), other: await hive.enrol() };
  },
}, [...CERTIFICATES, ...SESSIONS, ...REVOCATION, ...RENEWAL, ...REQUESTS, ...PINS]);
