import { assert, assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { PIN_VARIABLES, pinnedEnvironment } from "../../common/link/mod.ts";
import { decodeToken } from "../../common/link/token.ts";
import { addedTokenSchema } from "../../hive/api/tokens.ts";
import { signGenesis } from "../../hive/herd/mod.ts";
import { immune } from "../support/immune.ts";
import { Secrets } from "../support/secrets.ts";
import { freeAddresses } from "../support/up.ts";

/** A hive that runs as its launcher starts it. */
interface RunningHive {
  readonly pid: number;
  readonly origin: string;
  readonly login: string;
  readonly token: string;
  /** Kills it with a signal, and looks at all that it said. */
  kill(signal: Deno.Signal): Promise<void>;
}

/** Events that rules of the program fire on, one a line. */
const EVENTS = Array.from(
  { length: 20 },
  (_, number) =>
    JSON.stringify({
      "@timestamp": new Date(Date.now() - 1000 * number).toISOString(),
      logsource: { category: "process_creation", product: "linux" },
      Image: "/usr/bin/bash",
      CommandLine: `bash -c : /dev/tcp/127.0.0.1/${4000 + number}`,
      ParentImage: "/usr/sbin/sshd",
    }),
).join("\n");

class Scene {
  readonly secrets = new Secrets();
  readonly state: string;
  readonly agentState: string;
  readonly #flags: readonly string[];

  constructor(folder: string) {
    this.state = `${folder}/hive`;
    this.agentState = `${folder}/agent`;
    const [console, agents, enroll] = freeAddresses();
    this.#flags = ["--console", console, "--agents", agents, "--enroll", enroll];
  }

  async startHive(): Promise<RunningHive> {
    const child = immune(["hive", "--json", "--state", this.state, ...this.#flags]).spawn();
    const said = new Response(child.stderr).bytes();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    for (let next = await output.read(); !next.done; next = await output.read()) {
      line += next.value;
      if (line.endsWith("\n")) break;
    }
    if (line === "") throw new Error(`The hive ended: ${new TextDecoder().decode(await said)}`);
    const { login, token, addresses } = JSON.parse(line);
    return {
      pid: child.pid,
      origin: `http://${addresses.console}`,
      login,
      token,
      kill: async (signal) => {
        await this.secrets.lookAtProcesses();
        child.kill(signal);
        while (!(await output.read()).done);
        assertEquals((await child.status).success, signal === "SIGINT");
        this.secrets.look("the hive's stderr", await said);
      },
    };
  }

  /** Runs a verb of the agent's host to its end, and looks at all processes meanwhile. */
  async agentVerb(
    args: readonly string[],
    { input, environment = {}, killedBy }: {
      readonly input?: string;
      readonly environment?: Readonly<Record<string, string>>;
      readonly killedBy?: Deno.Signal;
    } = {},
  ): Promise<void> {
    const command = immune([...args, "--state", this.agentState, ...this.#flags], {
      stdin: input === undefined ? "null" : "piped",
      environment,
      // An agent that could trust another anchor does not start.
      without: PIN_VARIABLES,
    });
    const child = command.spawn();
    const outputs = Promise.all([child.stdout, child.stderr].map((s) => new Response(s).bytes()));
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input));
      if (killedBy === undefined) await writer.close();
    }
    let isOver = false;
    const over = child.status.then((status) => {
      isOver = true;
      return status;
    });
    do await this.secrets.lookAtProcesses(); while (!isOver && killedBy === undefined);
    if (killedBy !== undefined) child.kill(killedBy);
    const { success } = await over;
    const said = await outputs;
    for (const bytes of said) this.secrets.look(`output of "${args[0]}"`, bytes);
    const words = said.map((bytes) => new TextDecoder().decode(bytes)).join("\n");
    assertEquals(success, killedBy === undefined, `immune ${args.join(" ")}: ${words}`);
  }

  async lookAtState(): Promise<void> {
    await this.secrets.lookBelow(this.state);
    await this.secrets.lookBelow(this.agentState);
  }
}

/** A request of the API, with a token or a session. */
async function ask(
  url: string,
  { token, cookie, body, method = body === undefined ? "GET" : "POST" }: {
    readonly token?: string;
    readonly cookie?: string;
    readonly body?: unknown;
    readonly method?: string;
  } = {},
): Promise<Response> {
  return await fetch(url, {
    method,
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === undefined ? {} : { cookie, origin: new URL(url).origin }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The secrets that a hive has made by its first start. */
async function addHiveSecrets({ secrets, state }: Scene, hive: RunningHive): Promise<string> {
  await addKeys(secrets, `${state}/hive`);
  const belongs = `${state}/operator.token`;
  const token = (await Deno.readTextFile(belongs)).trim();
  secrets.addText({ name: "the operator token", belongs }, token);
  addEnrolmentToken(secrets, hive.token);
  return token;
}

/** Looks for every key of a folder: those of certificates, and seeds in hexadecimal. */
async function addKeys(secrets: Secrets, folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!/\.key\b/.test(name)) continue;
    const belongs = `${folder}/${name}`;
    const text = (await Deno.readTextFile(belongs)).trim();
    const secret = { name, belongs };
    if (text.includes("PRIVATE KEY")) await secrets.addKey(secret, text);
    else secrets.addBytes(secret, Uint8Array.fromHex(text));
  }
}

function addEnrolmentToken(secrets: Secrets, text: string): void {
  secrets.addText({ name: "an enrolment token" }, decodeToken(text).secret);
}

/** Makes people, sessions and tokens, and asks for everything, rightly and wrongly. */
async function exercise({ secrets }: Scene, hive: RunningHive, token: string): Promise<void> {
  const api = `${hive.origin}/api/v1`;
  const json = async (response: Response): Promise<Record<string, string>> => {
    const body = await response.json();
    assert(response.ok, JSON.stringify(body));
    return body;
  };
  const invited = await json(
    await ask(`${api}/users`, { token, body: { name: "ada", role: "admin" } }),
  );
  const path = invited["path"] ?? "";
  secrets.addText(
    { name: "an invitation" },
    new URL(path, hive.origin).searchParams.get("code") ?? "",
  );
  const signedIn = await ask(`${hive.origin}${path}`);
  const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  secrets.addText({ name: "a session" }, cookie.split("=")[1] ?? "");
  const added = addedTokenSchema.parse(
    await json(
      await ask(`${api}/tokens`, {
        token,
        body: { name: "ci", role: "analyst", expires: "30d", user: "ada" },
      }),
    ),
  );
  secrets.addText({ name: "an API token" }, added.text);
  const link = await json(await ask(`${api}/login-links`, { token, method: "POST" }));
  const code = new URL(link["path"] ?? "", hive.origin).searchParams.get("code") ?? "";
  secrets.addText({ name: "a login code" }, code);
  addEnrolmentToken(
    secrets,
    (await json(await ask(`${api}/enroll-tokens`, { token, body: {} })))["token"] ?? "",
  );
  const reads = ["status", "agents", "alerts", "events", "stats", "audit", "herd/agents", "users"];
  for (const read of reads) {
    for (const how of [{ token }, { cookie }, { token: added.text }, {}]) {
      await (await ask(`${api}/${read}`, how)).body?.cancel();
    }
  }
  // Each in the wrong place: what is refused must not be written down either.
  for (const secret of [token, code, added.text, cookie.split("=")[1] ?? ""]) {
    for (
      const [wrong, how] of [
        [`${api}/alerts/${secret}`, { token }],
        [`${api}/status?token=${secret}`, {}],
        [`${hive.origin}/${secret}`, { cookie }],
        [`${api}/users`, { token, body: { name: secret, role: "king" } }],
        [`${api}/herd/genesis`, { token, body: { signed: secret } }],
        [`${api}/status`, { token: `${secret}x` }],
        [`${api}/status`, { cookie: `immune_session=${secret}x` }],
      ] as const
    ) await (await ask(wrong, how)).body?.cancel();
  }
}

/** Has a person choose a password, an authenticator and recovery codes, and use them. */
async function exerciseAccount(
  { secrets, state }: Scene,
  { origin }: RunningHive,
  token: string,
): Promise<void> {
  const invited = await ask(`${origin}/api/v1/users`, {
    token,
    body: { name: "bob", role: "viewer" },
  });
  const opened = await ask(`${origin}${(await invited.json()).path}`);
  const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const post = async (path: string, form: Record<string, string>): Promise<string> => {
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, origin },
      body: new URLSearchParams(form),
    });
    const text = await response.text();
    assert(response.status < 400, text);
    return text;
  };
  const password = `Marker ${crypto.randomUUID()}`;
  secrets.addText({ name: "a password" }, password);
  await post("/account/password", { current: "", password });
  const page = await post("/account/totp", {});
  const base32 = /id="totp-secret">([A-Z2-7]{16,})</.exec(page)?.[1] ?? "";
  const setup = /name="setup" value="([\w-]+)"/.exec(page)?.[1] ?? "";
  const belongs = `${state}/hive/store.db`;
  secrets.addText({ name: "an authenticator's secret", belongs }, base32);
  const code = (): string => new TOTP({ secret: Secret.fromBase32(base32) }).generate();
  const confirmed = await post("/account/totp/confirm", { setup, code: code() });
  const recovery = confirmed.match(/\b[a-z2-7]{4}(-[a-z2-7]{4}){3}\b/g) ?? [];
  assertEquals(recovery.length, 10);
  for (const one of recovery) secrets.addText({ name: "recovery codes" }, one);
  await post("/login/password", { name: "bob", password, totp: recovery[0] ?? "" });
  const wrong = await ask(`${origin}/login/password?password=${encodeURIComponent(password)}`);
  await wrong.body?.cancel();
}

/** Has the herd hear a genesis set and a verdict. */
async function exerciseHerd({ secrets }: Scene, hive: RunningHive, token: string): Promise<void> {
  const api = `${hive.origin}/api/v1`;
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "" } = privateKey.export({ format: "jwk" });
  secrets.addText({ name: "the genesis key" }, d);
  const { agents } = await (await ask(`${api}/agents`, { token })).json();
  const ids = agents.map(({ id }: { readonly id: string }) => id);
  assertEquals(ids.length, 1);
  const signed = signGenesis({ number: 1, agents: ids }, privateKey);
  const taken = await ask(`${api}/herd/genesis`, { token, body: { signed } });
  assertEquals(taken.status, 200, await taken.text());
  const { alerts } = await (await ask(`${api}/alerts?last=1d`, { token })).json();
  assert(alerts.length > 0, "the agent has delivered alerts");
  const verdict = await ask(`${api}/alerts/${alerts[0].id}/verdict`, {
    token,
    body: { isTrue: true },
  });
  assertEquals(verdict.status, 200, await verdict.text());
}

Deno.test("markers: no key, token, code or session is anywhere but in its own file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "immune-markers-" });
  const scene = new Scene(folder);
  const { secrets } = scene;
  try {
    await Deno.mkdir(scene.state, { mode: 0o700 });
    const first = await scene.startHive();
    const token = await addHiveSecrets(scene, first);
    secrets.addText(
      { name: "the first login code" },
      new URL(first.login).searchParams.get("code") ?? "",
    );
    await scene.agentVerb(["enroll", "--token-file", "-"], { input: first.token });
    await addKeys(secrets, `${scene.agentState}/agent`);
    const environment = pinnedEnvironment();
    const events = `${folder}/events.ndjson`;
    await Deno.writeTextFile(events, EVENTS);
    await scene.agentVerb(["replay", events, "--deliver"], { environment });
    await exercise(scene, first, token);
    await exerciseAccount(scene, first, token);
    await exerciseHerd(scene, first, token);
    await scene.lookAtState();
    // The hive ends in the midst of its work, and so does what delivers to it.
    await first.kill("SIGABRT");
    await scene.agentVerb(["replay", "/dev/stdin", "--deliver"], {
      environment,
      input: EVENTS,
      killedBy: "SIGABRT",
    });
    await scene.lookAtState();
    const second = await scene.startHive();
    addEnrolmentToken(secrets, second.token);
    await scene.agentVerb(["replay", events, "--deliver"], { environment });
    await (await ask(`${second.origin}/api/v1/status`, { token })).body?.cancel();
    await second.kill("SIGINT");
    await scene.lookAtState();
    assertEquals([...secrets.findings], []);
    // What is looked for was there to be found.
    const atHome = [...secrets.atHome].sort();
    assertEquals(atHome, [
      "agent.key",
      "an authenticator's secret",
      "ca.key",
      "directive.key",
      "server.key",
      "server.next.key",
      "the operator token",
    ]);
    assertEquals(secrets.count, 16);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
