import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { acknowledgementSchema, errorSchema } from "../../common/link/protocol.ts";
import { BATCH_BYTES_MAX, LOSS_CAUSES } from "../../common/wire/mod.ts";
import { IntakeWorker, type Refusal } from "../../hive/intake/mod.ts";
import { inFolder, makeRequest, signWith } from "../../hive/trust/_test_support.ts";
import { Authority, DAY_MS } from "../../hive/trust/mod.ts";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
} from "../../hive/trust/x509.ts";
import { batchOf, type Identity, JOURNAL, type TestAgent, TestHive } from "../support/intake.ts";
import { openssl } from "../support/openssl.ts";

const SEED = 23;
/** What a stop would wait for, and does not, in milliseconds. */
const LONG_STOP_MS = 60_000;

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly position?: number;
  readonly expected?: number;
}

async function post(
  hive: TestHive,
  { client, body }: { readonly client: Deno.HttpClient; readonly body: BodyInit },
): Promise<Answer> {
  const response = await fetch(hive.url, { method: "POST", body, client });
  const answer = await response.json();
  if (response.ok) {
    const { journalId, position } = acknowledgementSchema.parse(answer);
    assertEquals(journalId, JOURNAL);
    return { status: response.status, position };
  }
  const { code, expected } = errorSchema.parse(answer).error;
  return { status: response.status, code, ...(expected === undefined ? {} : { expected }) };
}

/** Posts a batch of an agent with a client of its own. */
async function deliver(hive: TestHive, agent: TestAgent, body: BodyInit): Promise<Answer> {
  using client = hive.client(agent);
  return await post(hive, { client, body });
}

async function stored(hive: TestHive): Promise<number> {
  return (await hive.store.stats()).records;
}

function only(counts: Readonly<Record<Refusal, number>>): Partial<Record<Refusal, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

Deno.test("intake: a batch is stored once, repeated or overlapping", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const { hostId } = agent;
  using client = hive.client(agent);
  const send = (body: Uint8Array<ArrayBuffer>): Promise<Answer> => post(hive, { client, body });
  const first = batchOf({ hostId, first: 1, records: 10 });
  assertEquals(await send(first), { status: 200, position: 10 });
  assertEquals(await send(first), { status: 200, position: 10 });
  assertEquals(await stored(hive), 10);
  assertEquals(await send(batchOf({ hostId, first: 6, records: 10 })), {
    status: 200,
    position: 15,
  });
  assertEquals(await stored(hive), 15);
  assertEquals(await send(batchOf({ hostId, first: 2, records: 3 })), {
    status: 200,
    position: 15,
  });
  assertEquals(await stored(hive), 15);
  const { batches, repeated, records, refused } = await hive.counters();
  assertEquals({ batches, repeated, records }, { batches: 4, repeated: 2, records: 15 });
  assertEquals(only(refused), {});
});

Deno.test("intake: a gap is 409 with the position, unless the ledger names it", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const { hostId } = agent;
  using client = hive.client(agent);
  const send = (body: Uint8Array<ArrayBuffer>): Promise<Answer> => post(hive, { client, body });
  assertEquals((await send(batchOf({ hostId, first: 1, records: 4 }))).status, 200);
  const gap = { hostId, first: 8, records: 2 };
  assertEquals(await send(batchOf(gap)), { status: 409, code: "BATCH_GAP", expected: 5 });
  const evicted = { cause: LOSS_CAUSES.journal_evicted, kind: 0, source: 0, certain: true };
  const half = { ...evicted, first: 5, count: 2 };
  assertEquals((await send(batchOf({ ...gap, losses: [half] }))).status, 409);
  const inRing = { ...evicted, cause: LOSS_CAUSES.ring_full, first: 5, count: 3 };
  assertEquals((await send(batchOf({ ...gap, losses: [inRing] }))).status, 409);
  assertEquals(await stored(hive), 4);
  const whole = { ...evicted, first: 5, count: 3 };
  assertEquals(await send(batchOf({ ...gap, losses: [whole] })), { status: 200, position: 9 });
  assertEquals(await stored(hive), 6);
  assertEquals(only((await hive.counters()).refused), { gap: 3 });
  assertMatch(await hive.line(/: gap$/), new RegExp(`agent ${agent.id} at 127\\.0\\.0\\.1:`));
});

Deno.test("intake: no certificate, and each bad one, is refused and counted", async () => {
  await using hive = await TestHive.start();
  await inFolder(async (folder) => {
    const agentId = crypto.randomUUID();
    const { keyPem, request } = await makeRequest();
    const foreign = await (await Authority.open(folder)).sign(request, { agentId });
    const past = new FakeClock(Date.now() - 2 * DAY_MS);
    const old = await Authority.open(hive.folder, { clock: past });
    const expired = await old.sign(request, { agentId, days: 1 });
    const san = new SubjectAlternativeNameExtension([{
      type: "url",
      value: `urn:uuid:${agentId}`,
    }]);
    const server = new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]);
    const usage = await signWith(hive.folder, { request, extensions: [san, server] });
    const unnamed = await signWith(hive.folder, { request, extensions: [san] });
    const cases: readonly (readonly [Refusal, Identity | undefined])[] = [
      ["no_certificate", undefined],
      ["bad_certificate", { keyPem, certificatePem: foreign.pem }],
      ["bad_certificate", { keyPem, certificatePem: expired.pem }],
      ["bad_certificate", { keyPem, certificatePem: usage }],
      // TLS takes a certificate that names no usage; we do not.
      ["bad_certificate", { keyPem, certificatePem: unnamed }],
    ];
    for (const [reason, identity] of cases) {
      const before = await hive.refused(reason);
      hive.lines.length = 0;
      using client = hive.client(identity);
      const body = batchOf({ hostId: "00".repeat(32) });
      await assertRejects(() => post(hive, { client, body }), TypeError);
      await hive.line(new RegExp(`: ${reason}$`));
      assertEquals(await hive.refused(reason), before + 1);
    }
    assertEquals(only((await hive.counters()).refused), { no_certificate: 1, bad_certificate: 4 });
    assertEquals(await stored(hive), 0);
  });
});

Deno.test("intake: TLS 1.2, plain HTTP and a broken hello are refused and counted", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const said = await openssl(hive, { identity: agent, args: ["-tls1_2"] });
  assertMatch(said, /alert protocol version/);
  await hive.line(/: tls_version$/);
  await assertRejects(() => fetch(hive.url.replace("https", "http")));
  await hive.line(/: handshake$/);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: hive.intake.port });
  connection.close();
  await hive.line(/socket hang up\): handshake$/);
  assertEquals(only((await hive.counters()).refused), { tls_version: 1, handshake: 2 });
});

Deno.test("intake: a resumed session is cut off before its request is read", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const session = `${hive.folder}/session`;
  const full = await openssl(hive, { identity: agent, args: ["-sess_out", session, "-ign_eof"] });
  assertMatch(full, /404 Not Found/);
  assert(Deno.statSync(session).size > 0);
  const again = await openssl(hive, { identity: agent, args: ["-sess_in", session, "-ign_eof"] });
  assertMatch(again, /Reused, TLSv1\.3/);
  assertEquals(again.includes("HTTP/1.1"), false);
  await hive.line(/: resumed$/);
  assertEquals(only((await hive.counters()).refused), { request: 1, resumed: 1 });
});

Deno.test("intake: not enrolled, or revoked while connected, is 403", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const { keyPem, request } = await makeRequest();
  const { pem } = await hive.authority.sign(request, { agentId: agent.id });
  using stranger = hive.client({ keyPem, certificatePem: pem });
  const body = batchOf({ hostId: agent.hostId });
  const refused = { status: 403, code: "CERTIFICATE_REFUSED" };
  assertEquals(await post(hive, { client: stranger, body }), refused);
  using client = hive.client(agent);
  assertEquals(await post(hive, { client, body }), { status: 200, position: 1 });
  assertEquals(await hive.store.revokeAgent(agent.id), true);
  const next = batchOf({ hostId: agent.hostId, first: 2 });
  assertEquals(await post(hive, { client, body: next }), refused);
  assertEquals(await stored(hive), 1);
  assertEquals(only((await hive.counters()).refused), { not_enrolled: 1, revoked: 1 });
  await hive.line(/: not_enrolled$/);
  await hive.line(/: revoked$/);
});

Deno.test("intake: a batch in another host's name is 403 and not stored", async () => {
  await using hive = await TestHive.start();
  const [agent, other] = [await hive.enrol(), await hive.enrol()];
  const body = batchOf({ hostId: other.hostId });
  assertEquals(await deliver(hive, agent, body), { status: 403, code: "AGENT_MISMATCH" });
  assertEquals(await stored(hive), 0);
  assertEquals(only((await hive.counters()).refused), { mismatch: 1 });
});

Deno.test("intake: whatever is done to a batch, it is a 4xx and nothing is stored", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  using client = hive.client(agent);
  const whole = batchOf({ hostId: agent.hostId, records: 3, nameBytes: 90 });
  const damage = fc.oneof(
    fc.integer({ min: 0, max: whole.length - 1 }).map((length) => whole.slice(0, length)),
    fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      return bytes;
    }),
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((tail) =>
      new Uint8Array([...whole, ...tail])
    ),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => new Uint8Array(bytes)),
  );
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(damage, async (body) => {
      sent++;
      const answer = await post(hive, { client, body });
      assert(answer.status === 400 || answer.status === 413, `status ${answer.status}`);
    }),
    { seed: SEED, numRuns: 150 },
  );
  assertEquals(await stored(hive), 0);
  const { refused: { malformed, too_large }, batches } = await hive.counters();
  assertEquals([malformed + too_large, batches], [sent, 0]);
  assertEquals((await post(hive, { client, body: whole })).status, 200);
});

Deno.test("intake: a huge body is 413, announced or not, and the connection goes on", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  using client = hive.client(agent);
  const huge = { status: 413, code: "BATCH_TOO_LARGE" };
  const body = new Uint8Array(BATCH_BYTES_MAX + 1);
  assertEquals(await post(hive, { client, body }), huge);
  const chunked = new Blob([body]).stream();
  assertEquals(await post(hive, { client, body: chunked }), huge);
  const whole = batchOf({ hostId: agent.hostId, records: 2000, nameBytes: 1900 });
  assertEquals(await post(hive, { client, body: whole }), { status: 200, position: 2000 });
  assertEquals(only((await hive.counters()).refused), { too_large: 2 });
});

Deno.test("intake: a body without end is cut off, announced or not", async () => {
  await using hive = await TestHive.start();
  const [agent, revoked] = [await hive.enrol(), await hive.enrol()];
  await hive.store.revokeAgent(revoked.id);
  const cases = [
    { sender: agent, head: "Content-Length: 999999999999", reason: "too_large" },
    { sender: agent, head: "Transfer-Encoding: chunked", reason: "too_large" },
    { sender: revoked, head: "Content-Length: 999999999999", reason: "revoked" },
  ] as const;
  // As one chunk of the chunked form; only bytes to the others.
  const piece = new Uint8Array([
    ...new TextEncoder().encode("10000\r\n"),
    ...new Uint8Array(65538),
  ]);
  piece.set([13, 10], piece.length - 2);
  for (const { sender, head, reason } of cases) {
    hive.lines.length = 0;
    using connection = await hive.connect(sender);
    const request = `POST /v1/batches HTTP/1.1\r\nHost: hive\r\n${head}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    let sent = 0;
    await assertRejects(async () => {
      while (sent < 64 * BATCH_BYTES_MAX) {
        // A write may take a part: the rest of the piece comes next.
        sent += await connection.write(piece.subarray(sent % piece.length));
      }
    });
    // What is not read stays in the sockets' buffers, some MiB on each side.
    assert(sent < 8 * BATCH_BYTES_MAX, `${sent} bytes were taken`);
    await hive.line(new RegExp(`: ${reason}$`));
  }
  assertEquals(only((await hive.counters()).refused), { too_large: 2, revoked: 1 });
});

Deno.test("intake: a body that comes too slowly, or breaks off, is not stored", async () => {
  await using hive = await TestHive.start({
    limits: { requestTimeoutMs: 6000, timeoutCheckMs: 50 },
  });
  const agent = await hive.enrol();
  const body = batchOf({ hostId: agent.hostId });
  const head = `POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: ${body.length}\r\n\r\n`;
  const begin = async (): Promise<Deno.TlsConn> => {
    const connection = await hive.connect(agent);
    await connection.write(new TextEncoder().encode(head));
    await connection.write(body.subarray(0, body.length - 1));
    return connection;
  };
  using slow = await begin();
  await slow.read(new Uint8Array(512)).catch(() => null);
  assertEquals(await hive.refused("request"), 1);
  (await begin()).close();
  await hive.line(/aborted/);
  assertEquals(await stored(hive), 0);
  // What was set aside for them is free again.
  assertEquals(await deliver(hive, agent, body), { status: 200, position: 1 });
});

Deno.test("intake: over its bound the queue says 429 and stores nothing of it", async () => {
  await using hive = await TestHive.start({ limits: { perAgentMax: 1 } });
  const agent = await hive.enrol();
  const body = batchOf({ hostId: agent.hostId });
  using slow = await hive.connect(agent);
  const head = `POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: ${body.length}\r\n` +
    "Expect: 100-continue\r\n\r\n";
  await slow.write(new TextEncoder().encode(head));
  // The server asks for the body when it has begun with the request.
  await slow.read(new Uint8Array(64));
  assertEquals(await deliver(hive, agent, body), { status: 429, code: "RATE_LIMITED" });
  const other = await hive.enrol();
  assertEquals((await deliver(hive, other, batchOf({ hostId: other.hostId }))).status, 200);
  await slow.write(body);
  const answer = new Uint8Array(512);
  const length = await slow.read(answer) ?? 0;
  assertMatch(new TextDecoder().decode(answer.subarray(0, length)), /^HTTP\/1\.1 200 OK\r\n/);
  assertEquals(await deliver(hive, agent, body), { status: 200, position: 1 });
  assertEquals(only((await hive.counters()).refused), { queue_full: 1 });
});

Deno.test("intake: connections are bounded, of all and with one certificate", async () => {
  await using hive = await TestHive.start({
    limits: { connectionsMax: 3, connectionsPerCertificateMax: 2 },
  });
  const [agent, other] = [await hive.enrol(), await hive.enrol()];
  using one = await hive.connect(agent);
  using two = await hive.connect(agent);
  using three = await hive.connect(agent);
  // Which of them the server sees last is not said; that one ends.
  await Promise.race(
    [one, two, three].map((each) => each.read(new Uint8Array(1)).catch(() => null)),
  );
  await hive.line(/2 connections of this certificate are open\): connections$/);
  using _other = await hive.connect(other);
  await assertRejects(() => hive.connect(other));
  assertEquals(await hive.refused("connections"), 2);
  assertEquals((await hive.counters()).connections, 3);
});

Deno.test("intake: silence is cut off, before and behind the handshake", async () => {
  await using hive = await TestHive.start({
    limits: { handshakeTimeoutMs: 3000, headersTimeoutMs: 3000, timeoutCheckMs: 50 },
  });
  const agent = await hive.enrol();
  using raw = await Deno.connect({ hostname: "127.0.0.1", port: hive.intake.port });
  assertEquals(await raw.read(new Uint8Array(1)).catch(() => null), null);
  await hive.line(/: handshake$/);
  using silent = await hive.connect(agent);
  await silent.write(new TextEncoder().encode("POST /v1/batches HTTP/1.1\r\nHost:"));
  assertEquals(await silent.read(new Uint8Array(1)).catch(() => null), null);
  await hive.line(/: request$/);
  assertEquals(only((await hive.counters()).refused), { handshake: 1, request: 1 });
});

Deno.test("intake: a request with two lengths, or headers without end, is cut off", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const heads = [
    "POST /v1/batches HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n",
    `POST /v1/batches HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(9000)}`,
  ];
  for (const head of heads) {
    using connection = await hive.connect(agent);
    await connection.write(new TextEncoder().encode(head));
    assertEquals(await connection.read(new Uint8Array(1)).catch(() => null), null);
  }
  assertEquals(only((await hive.counters()).refused), { request: 2 });
});

Deno.test("intake: requests that do not wait for answers are cut off", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  using connection = await hive.connect(agent);
  const head = "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 3\r\n\r\nabc";
  await connection.write(new TextEncoder().encode(head.repeat(3)));
  assertEquals(await connection.read(new Uint8Array(1)).catch(() => null), null);
  await hive.line(/\(pipelined\): request$/);
});

Deno.test("intake: a store without room is 507, and the agent may come again", async () => {
  await using hive = await TestHive.start({ storeBytesMax: 1024 * 1024 });
  const agent = await hive.enrol();
  using client = hive.client(agent);
  const { hostId } = agent;
  let first = 1;
  let answer: Answer;
  do {
    const body = batchOf({ hostId, first, records: 8, nameBytes: 16_000 });
    answer = await post(hive, { client, body });
    if (answer.status === 200) first += 8;
  } while (answer.status === 200 && first < 10_000);
  assertEquals(answer, { status: 507, code: "STORE_FAILED" });
  assertEquals(await stored(hive), first - 1);
  assertEquals(only((await hive.counters()).refused), { store: 1 });
});

Deno.test("IntakeWorker.stop() lets a request under way come to its end", async () => {
  await using hive = await TestHive.start({ limits: { stopTimeoutMs: LONG_STOP_MS } });
  const agent = await hive.enrol();
  const body = batchOf({ hostId: agent.hostId });
  using connection = await hive.connect(agent);
  const head = `POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: ${body.length}\r\n` +
    "Expect: 100-continue\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  await connection.read(new Uint8Array(64));
  const start = performance.now();
  const stopped = hive.intake.stop();
  await connection.write(body);
  const answer = new Uint8Array(512);
  const length = await connection.read(answer) ?? 0;
  assertMatch(new TextDecoder().decode(answer.subarray(0, length)), /^HTTP\/1\.1 200 OK\r\n/);
  assertEquals((await stopped).records, 1);
  assert(performance.now() - start < LONG_STOP_MS / 2);
  assertEquals(await stored(hive), 1);
});

Deno.test("IntakeWorker.stop() does not wait for connections that say nothing", async () => {
  await using hive = await TestHive.start({ limits: { stopTimeoutMs: LONG_STOP_MS } });
  const agent = await hive.enrol();
  using _raw = await Deno.connect({ hostname: "127.0.0.1", port: hive.intake.port });
  using _silent = await hive.connect(agent);
  using client = hive.client(agent);
  await post(hive, { client, body: batchOf({ hostId: agent.hostId }) });
  const start = performance.now();
  assertEquals((await hive.intake.stop()).connections, 0);
  assert(performance.now() - start < LONG_STOP_MS / 2);
});

Deno.test("IntakeWorker.stop() cuts off a request that does not come to its end", async () => {
  await using hive = await TestHive.start({ limits: { stopTimeoutMs: 100 } });
  const agent = await hive.enrol();
  using connection = await hive.connect(agent);
  const head = "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 999\r\n" +
    "Expect: 100-continue\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  await connection.read(new Uint8Array(64));
  const start = performance.now();
  assertEquals((await hive.intake.stop()).batches, 0);
  assert(performance.now() - start < LONG_STOP_MS / 2);
  assertEquals(await connection.read(new Uint8Array(64)).catch(() => null), null);
});

Deno.test("IntakeWorker.start() names the flag of a port in use", async () => {
  await using hive = await TestHive.start();
  const error = await assertRejects(
    () =>
      IntakeWorker.start({
        settings: {
          hostname: "127.0.0.1",
          port: hive.intake.port,
          trust: hive.trust.intakeTrust(),
        },
        store: hive.storeWorker.connect(),
      }),
    ImmuneError,
  );
  assertEquals(error.code, "PORT_IN_USE");
  assertMatch(error.message, /--agents$/);
});
