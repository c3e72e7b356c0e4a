import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { ImmuneError } from "../../common/config/errors.ts";
import { enrollResponseSchema, ROUTES, tokenSchema } from "../../common/link/protocol.ts";
import { encodeBatch } from "../../common/wire/mod.ts";
import { alertOf, HOST_ID, type TestProcess } from "../../hive/api/_test_support.ts";
import { createHive, type Hive, type HiveOptions } from "../../hive/serve.ts";
import { pinSetId } from "../../common/link/pin.ts";
import { solvedRequest } from "../../hive/fleet/_test_support.ts";
import { KEY_ALGORITHM, makeKeyPair, privateKeyPem } from "../../hive/trust/key.ts";
import { Pkcs10CertificateRequestGenerator } from "../../hive/trust/x509.ts";

const ANYWHERE = "127.0.0.1:0";

async function startHive(options: Partial<HiveOptions> = {}): Promise<
  AsyncDisposable & { readonly hive: Hive; readonly state: string; readonly lines: string[] }
> {
  const state = options.state ?? await Deno.makeTempDir();
  const lines: string[] = [];
  const hive = await createHive({
    state,
    agents: ANYWHERE,
    enroll: ANYWHERE,
    console: ANYWHERE,
    version: "9.9.9",
    log: (line) => void lines.push(line),
    ...options,
  });
  return {
    hive,
    state,
    lines,
    async [Symbol.asyncDispose](): Promise<void> {
      await hive.stop();
      if (options.state === undefined) await Deno.remove(state, { recursive: true });
    },
  };
}

/** Where `deno serve` says that it listens. */
async function servedAt(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of output.pipeThrough(new TextDecoderStream())) {
    text += part;
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
    if (found !== undefined) return found;
  }
  throw new Error(`it does not listen: ${text}`);
}

async function api(
  { hive, state }: { readonly hive: Hive; readonly state: string },
  path: string,
  options: RequestInit = {},
): Promise<Response> {
  const token = (await Deno.readTextFile(`${state}/operator.token`)).trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return await fetch(`http://${hive.addresses.console}${path}`, { ...options, headers });
}

/** Enrols an agent at a hive and has it deliver one alert. */
async function deliverAlert(
  running: { readonly hive: Hive; readonly state: string },
  { argument = "bash" }: { readonly argument?: string } = {},
): Promise<
  { readonly answer: Response; readonly alert: unknown; readonly pins: readonly string[] }
> {
  const { hive, state } = running;
  const made = await api(running, "/api/v1/enroll-tokens", { method: "POST", body: "{}" });
  const { token } = await made.json();
  const { secret, enroll, agents, pins } = tokenSchema.parse(
    JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(token, { alphabet: "base64url" }))),
  );
  assertEquals([enroll, agents], [hive.addresses.enroll, hive.addresses.agents]);
  const pem = await Deno.readTextFile(`${state}/hive/server.pem`);
  const next = await Deno.readTextFile(`${state}/hive/server.next.pem`);
  const base64 = (text: string): string => text.replaceAll(/-----[^-]+-----|\s/g, "");
  assertEquals([pem, next].map(base64), pins);

  const keys = await makeKeyPair();
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: KEY_ALGORITHM,
  });
  using anonymous = Deno.createHttpClient({ caCerts: [pem] });
  const ask = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`https://${enroll}${path}`, { ...init, client: anonymous });
  const asked = { secret, request: request.toString("pem"), hostId: HOST_ID, hostName: "gpu-01" };
  const issued = await ask(ROUTES.enroll, {
    method: "POST",
    body: JSON.stringify(await solvedRequest({ request: ask }, asked)),
  });
  const enrolled = enrollResponseSchema.parse(await issued.json());

  const shell: TestProcess = { pid: 700, bootS: 3590, image: "/usr/bin/bash", argv: [argument] };
  const { alert, record } = alertOf(shell);
  const body = encodeBatch({
    first: 1,
    recordCount: 1,
    losses: [],
    journalId: "ef".repeat(16),
    bootId: "cd".repeat(16),
    hostId: HOST_ID,
    epoch: 1,
    wallOffsetNs: 0n,
  }, record);
  using client = Deno.createHttpClient({
    caCerts: [pem],
    cert: enrolled.certificate,
    key: await privateKeyPem(keys.privateKey),
  });
  const delivered = await fetch(`https://${agents}${ROUTES.batches}`, {
    client,
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body,
  });
  const answer = Response.json(await delivered.json(), { status: delivered.status });
  return { answer, alert, pins };
}

Deno.test("createHive() takes an agent in by its token and shows the alert that it sends", async () => {
  await using running = await startHive();
  const { answer, alert, pins } = await deliverAlert(running);
  assertEquals([answer.status, await answer.json()], [200, {
    journalId: "ef".repeat(16),
    position: 1,
    pins: await pinSetId(pins.map((der) => Uint8Array.fromBase64(der))),
  }]);
  const { alerts } = await (await api(running, "/api/v1/alerts")).json();
  assertEquals(alerts, [alert]);
  const metrics = await (await api(running, "/metrics")).text();
  assert(metrics.includes("immune_agents_online 1\n"), metrics);
  assert(metrics.includes('immune_refused_total{reason="no_certificate"} 0\n'), metrics);
  assert(running.lines.some((line) => line.includes("gpu-01")));
});

Deno.test("createHive() with a full store takes an agent in, and of it nothing", async () => {
  await using running = await startHive({ storeBytesMax: 1 });
  // More than what is left in a page that the store has already.
  const argument = crypto.getRandomValues(new Uint8Array(4000)).toHex();
  const { answer } = await deliverAlert(running, { argument });
  assertEquals([answer.status, (await answer.json()).error.code], [507, "STORE_FAILED"]);
  const metrics = await (await api(running, "/metrics")).text();
  assert(metrics.includes('immune_refused_total{reason="store"} 1\n'), metrics);
});

Deno.test("createHive() makes a login link that works once", async () => {
  await using running = await startHive();
  const link = running.hive.loginLink();
  const first = await fetch(link, { redirect: "manual" });
  await first.body?.cancel();
  assertEquals(first.status, 303);
  const cookie = first.headers.get("set-cookie") ?? "";
  assert(
    /^immune_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/.test(cookie),
    cookie,
  );
  const page = await fetch(`http://${running.hive.addresses.console}/`, {
    headers: { cookie: cookie.split(";")[0] ?? "" },
  });
  assert((await page.text()).includes("Agents online"));
  const second = await fetch(link, { redirect: "manual" });
  await second.body?.cancel();
  assertEquals([second.status, second.headers.get("set-cookie")], [401, null]);
});

Deno.test("createHive() keeps its files to itself and starts again with what it has", async () => {
  const state = await Deno.makeTempDir();
  const prints: string[] = [];
  for (let i = 0; i < 2; i++) {
    await using running = await startHive({ state });
    prints.push(running.hive.fingerprint);
    assertEquals((await (await api(running, "/api/v1/status")).json()).records, 0);
  }
  assertEquals(prints[0], prints[1]);
  assertEquals((await Deno.stat(`${state}/hive`)).mode, 0o40700);
  for (const file of ["operator.token", "hive/ca.key", "hive/server.key"]) {
    assertEquals([file, (await Deno.stat(`${state}/${file}`)).mode], [file, 0o100600]);
  }
  await Deno.remove(state, { recursive: true });
});

Deno.test("createHive() refuses plain HTTP to other hosts, before it makes anything", async () => {
  const state = await Deno.makeTempDir();
  for (const console of ["0.0.0.0:0", "[::]:0", "example.com:9999"]) {
    const error = await assertRejects(() => startHive({ state, console }), ImmuneError);
    assertEquals(error.code, "LISTEN_REFUSED");
    assert(error.message.includes("--console"), error.message);
  }
  assertEquals([...Deno.readDirSync(state)], []);
  await Deno.remove(state, { recursive: true });
});

Deno.test("createHive() names the flag of a port in use, and nothing of it stays", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  const state = await Deno.makeTempDir();
  for (const flag of ["agents", "enroll", "console"] as const) {
    const error = await assertRejects(() => startHive({ state, [flag]: address }), ImmuneError);
    assertEquals([flag, error.code], [flag, "PORT_IN_USE"]);
    assert(error.message.includes(`--${flag}`), error.message);
    assert(error.message.includes(address), error.message);
  }
  // The store was let go each time.
  await using running = await startHive({ state });
  assertEquals((await api(running, "/health")).status, 200);
  await running.hive.stop();
  await Deno.remove(state, { recursive: true });
});

Deno.test("serve.ts is a fetch handler of its own: the operators' side of a state folder", async () => {
  const state = await Deno.makeTempDir();
  {
    // A whole hive made the folder; the handler reads what is there.
    await using running = await startHive({ state });
    assertEquals((await api(running, "/health")).status, 200);
  }
  const serve = new Deno.Command(Deno.execPath(), {
    args: ["serve", "-A", "--host=127.0.0.1", "--port=0", "hive/serve.ts"],
    env: {
      IMMUNE_STATE: state,
      IMMUNE_OIDC_ISSUER: "https://id.example",
      IMMUNE_OIDC_CLIENT_ID: "hive",
    },
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    stdout: "null",
    stderr: "piped",
  });
  await using child = serve.spawn();
  const origin = await servedAt(child.stderr);
  const token = (await Deno.readTextFile(`${state}/operator.token`)).trim();
  const refused = await fetch(`${origin}/api/v1/status`);
  await refused.body?.cancel();
  assertEquals(refused.status, 401);
  const answer = await fetch(`${origin}/api/v1/status`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assertEquals((await answer.json()).agents, { enrolled: 0, online: 0 });
  // Its settings name a provider, and so the page that signs in does.
  assert((await (await fetch(`${origin}/login`)).text()).includes("/login/oidc"));
  child.kill("SIGTERM");
  await child.status;
  await Deno.remove(state, { recursive: true });
});
