import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import {
  ENROLL_BYTES_MAX,
  type EnrollmentToken,
  enrollResponseSchema,
  errorSchema,
  tokenSchema,
} from "../../common/link/protocol.ts";
import { SqliteStore } from "../store/mod.ts";
import { inFolder, makeRequest } from "../trust/_test_support.ts";
import { Authority, ClientCertificateChecker, openServerCertificate } from "../trust/mod.ts";
import { PemConverter } from "../trust/x509.ts";
import { EASY_BITS, type Enrolling, solvedRequest } from "./_test_support.ts";
import { Challenges } from "./challenges.ts";
import { createEnrolment, ENROL_BODY_TIMEOUT_MS, type EnrolmentApp } from "./enrolment.ts";
import { serveEnrolment } from "./listener.ts";
import { PendingEnrolments } from "./pending.ts";
import {
  makeToken,
  TOKEN_LIFETIME_MS,
  TOKEN_LIFETIME_MS_MAX,
  TOKEN_USES_MAX,
  type TokenOptions,
} from "./token.ts";

const NOW_MS = Date.UTC(2031, 4, 6);
const HOST = "0d".repeat(32);

interface Hive extends EnrolmentApp {
  readonly store: SqliteStore;
  readonly clock: FakeClock;
  readonly authority: Authority;
  readonly folder: string;
  readonly pending: PendingEnrolments;
  token(options?: Partial<TokenOptions>): Promise<EnrollmentToken>;
}

async function withHive(test: (hive: Hive) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const clock = new FakeClock(NOW_MS);
    const store = new SqliteStore(`${folder}/store.db`, { clock });
    const authority = await Authority.open(folder, { clock });
    const challenges = new Challenges({ clock, difficultyMin: EASY_BITS });
    const pending = new PendingEnrolments({ store, authority, clock });
    const enrolment = createEnrolment({ store, authority, pending, challenges, clock });
    const { pins } = await openServerCertificate(folder, { clock });
    const addresses = { enroll: "hive:9997", agents: "hive:9998", pins };
    const token = async (options: Partial<TokenOptions> = {}): Promise<EnrollmentToken> =>
      read((await makeToken(store, { ...addresses, clock, ...options })).text);
    await test({ ...enrolment, pending, store, clock, authority, folder, token });
    await store.close();
  });
}

function read(text: string): EnrollmentToken {
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  return tokenSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

/** Does the work, and enrols. */
async function enrol({ app }: EnrolmentApp, body: Enrolling): Promise<[number, string]> {
  return await post({ app }, await solvedRequest(app, body));
}

async function post({ app }: Pick<EnrolmentApp, "app">, body: unknown): Promise<[number, string]> {
  const response = await app.request("/v1/enroll", { method: "POST", body: JSON.stringify(body) });
  const answer = await response.json();
  if (response.ok) return [200, enrollResponseSchema.parse(answer).certificate];
  return [response.status, errorSchema.parse(answer).error.code];
}

Deno.test("enrolment gives a certificate that is in the store before the answer", async () => {
  await withHive(async (hive) => {
    const { secret } = await hive.token();
    const { request } = await makeRequest();
    const [status, pem] = await enrol(hive, { secret, request, hostId: HOST, hostName: "web-1" });
    assertEquals(status, 200);
    const checker = new ClientCertificateChecker({
      authoritiesPem: [hive.authority.certificatePem],
      fleetId: hive.authority.fleetId,
    });
    const check = checker.check(new Uint8Array(PemConverter.decodeFirst(pem)), NOW_MS);
    assert(check.ok);
    const { agentId, fingerprint } = check.certificate;
    assertEquals(await hive.store.certificate(fingerprint), {
      fingerprint,
      agentId,
      hostId: HOST,
      revoked: false,
      unused: false,
    });
    assertEquals((await hive.store.agents()).map(({ id, hostName }) => [id, hostName]), [
      [agentId, "web-1"],
    ]);
  });
});

Deno.test("enrolment uses a token once, also when two come with it at once", async () => {
  await withHive(async (hive) => {
    const { secret } = await hive.token();
    const body = { secret, hostId: HOST, hostName: "h", request: (await makeRequest()).request };
    const answers = await Promise.all([enrol(hive, body), enrol(hive, body)]);
    assertEquals(answers.map(([status]) => status).sort(), [200, 403]);
    assertEquals(await enrol(hive, body), [403, "TOKEN_INVALID"]);
    assertEquals((await hive.store.agents()).length, 1);
    assertEquals(hive.refused().token, 2);
  });
});

Deno.test("enrolment answers unknown, used and expired tokens with the same words", async () => {
  await withHive(async (hive) => {
    const { request } = await makeRequest();
    const told = async (secret: string): Promise<string> => {
      const body = JSON.stringify(
        await solvedRequest(hive.app, { secret, request, hostId: HOST, hostName: "h" }),
      );
      const response = await hive.app.request("/v1/enroll", { method: "POST", body });
      return `${response.status} ${await response.text()}`;
    };
    const [used, expired] = [await hive.token(), await hive.token()];
    await told(used.secret);
    hive.clock.advance(TOKEN_LIFETIME_MS + 1);
    const answers = new Set([
      await told("A".repeat(43)),
      await told(used.secret),
      await told(expired.secret),
    ]);
    assertEquals([...answers].map((answer) => answer.slice(0, 3)), ["403"]);
  });
});

Deno.test("enrolment does not use a token up for a request that it does not sign", async () => {
  await withHive(async (hive) => {
    const { secret } = await hive.token();
    const body = { secret, hostId: HOST, hostName: "h" };
    const { request } = await makeRequest();
    const solved = await solvedRequest(hive.app, { ...body, request });
    const bad = { ...solved, request: "-----BEGIN CERTIFICATE REQUEST-----" };
    assertEquals(await post(hive, bad), [403, "ENROLL_REFUSED"]);
    const der = new Uint8Array(PemConverter.decodeFirst(request));
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const forged = PemConverter.encode(der, "CERTIFICATE REQUEST");
    assertEquals(await post(hive, { ...solved, request: forged }), [403, "ENROLL_REFUSED"]);
    assertEquals((await enrol(hive, { ...body, request }))[0], 200);
    assertEquals([hive.refused().request, hive.refused().token], [2, 0]);
  });
});

Deno.test("enrolment refuses what does not hold, is too long, or comes too slowly", async () => {
  await withHive(async (hive) => {
    const whole = {
      secret: "A".repeat(43),
      request: "x",
      hostId: HOST,
      hostName: "h",
      challenge: "",
      solution: "A".repeat(11),
    };
    const bad = [
      {},
      [],
      { ...whole, hostId: "0D".repeat(32) },
      { ...whole, hostName: "" },
      { ...whole, secret: "A".repeat(42) },
      { ...whole, more: 1 },
      { ...whole, request: "x".repeat(ENROLL_BYTES_MAX) },
    ];
    for (const body of bad) assertEquals(await post(hive, body), [400, "INPUT_MALFORMED"]);
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    }, { highWaterMark: 0 });
    const endless = await hive.app.request("/v1/enroll", { method: "POST", body });
    assertEquals(endless.status, 400);
    const started = Promise.withResolvers<void>();
    const silent = new ReadableStream({ pull: () => started.resolve() }, { highWaterMark: 0 });
    const late = hive.app.request("/v1/enroll", { method: "POST", body: silent });
    await started.promise;
    hive.clock.advance(ENROL_BODY_TIMEOUT_MS);
    assertEquals((await late).status, 400);
    assertEquals(hive.refused().malformed, bad.length + 2);
  });
});

Deno.test("enrolment says 503 when the store fails, and not why", async () => {
  await withHive(async ({ authority }) => {
    const lines: string[] = [];
    const enrolment = createEnrolment({
      authority,
      challenges: new Challenges({ clock: SYSTEM_CLOCK, difficultyMin: EASY_BITS }),
      store: {
        useToken: () => Promise.resolve({ tags: [], approval: false }),
        addAgent: () => Promise.reject(new ImmuneError("STORE_FAILED", "Cannot write /secret")),
      },
      onRefused: (reason, line) => lines.push(`${reason}: ${line}`),
    });
    const { request } = await makeRequest();
    const body = { secret: "A".repeat(43), request, hostId: HOST, hostName: "h" };
    assertEquals(await enrol(enrolment, body), [503, "STORE_FAILED"]);
    assertEquals(lines, ["failed: Refused an enrolment: Cannot write /secret"]);
  });
});

Deno.test("makeToken() refuses what does not hold, keeps only the secret's hash", async () => {
  await withHive(async ({ store, folder, token }) => {
    const { secret } = await token();
    await store.close();
    const database = new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/store.db`));
    assertEquals(database.includes(secret), false);
    const options = { enroll: "a:1", agents: "a:2", pins: [new Uint8Array(9)] };
    const wrong: readonly Partial<TokenOptions>[] = [
      ...[0, -1, NaN, TOKEN_LIFETIME_MS_MAX + 1].map((lifetimeMs) => ({ lifetimeMs })),
      ...[0, -1, 1.5, NaN, TOKEN_USES_MAX + 1].map((uses) => ({ uses })),
      ...[["a b"], [""], ["x".repeat(65)], Array(17).fill("x")].map((tags) => ({ tags })),
    ];
    for (const each of wrong) {
      const made = (): Promise<unknown> => makeToken(store, { ...options, ...each });
      assertEquals((await assertRejects(made, ImmuneError)).code, "USAGE");
    }
    const long = { ...options, enroll: "a".repeat(301) };
    assertEquals((await assertRejects(() => makeToken(store, long), ImmuneError)).code, "USAGE");
  });
});

Deno.test("serveEnrolment() serves the pinned certificate, names a port in use", async () => {
  await inFolder(async (folder) => {
    const { certificatePem, keyPem } = await openServerCertificate(folder);
    const store = new SqliteStore(`${folder}/store.db`);
    const { app } = createEnrolment({ store, authority: await Authority.open(folder) });
    const options = { hostname: "127.0.0.1", port: 0, certificatePem, keyPem };
    const listener = serveEnrolment(app.fetch, options);
    using client = Deno.createHttpClient({ caCerts: [certificatePem] });
    const answer = await fetch(`https://127.0.0.1:${listener.port}/health`, { client });
    assertEquals(await answer.json(), { status: "ok" });
    try {
      serveEnrolment(app.fetch, { ...options, port: listener.port });
      throw new Error("two listen on one port");
    } catch (error) {
      assert(error instanceof ImmuneError && error.code === "PORT_IN_USE");
    }
    await listener.stop();
    await store.close();
  });
});
