import { assert, assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { joinShares, readShare } from "../../common/keys/mod.ts";
import { addedTokenSchema } from "../../hive/api/tokens.ts";
import { signGenesis } from "../../hive/herd/mod.ts";
import { TestAuthenticator } from "../support/authenticator.ts";
import type { TestProvider } from "../support/oidc_provider.ts";
import type { Secrets } from "../support/secrets.ts";
import { addEnrolmentToken, ask, type MarkerScene, type RunningHive } from "./_markers_scene.ts";

/** Which hive is asked, and the operator token. */
export interface Asking {
  readonly hive: RunningHive;
  readonly token: string;
}

/** Makes people, sessions and tokens, and asks for everything, rightly and wrongly. */
export async function exercise(
  { secrets }: MarkerScene,
  { hive, token }: Asking,
): Promise<void> {
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
export async function exerciseAccount(
  { secrets, state }: MarkerScene,
  { hive: { origin }, token }: Asking,
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
export async function exerciseHerd(
  { secrets }: MarkerScene,
  { hive, token }: Asking,
): Promise<void> {
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

/** Has a person make a passkey and come in by it, rightly and wrongly. */
export async function exercisePasskey(
  { secrets }: MarkerScene,
  { hive, token }: Asking,
): Promise<void> {
  // A passkey belongs to a name; an address has none.
  const origin = hive.origin.replace("127.0.0.1", "localhost");
  const body = { name: "eve", role: "viewer" };
  const invited = await (await ask(`${origin}/api/v1/users`, { token, body })).json();
  const opened = await ask(`${origin}${invited.path}`);
  const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const post = async (path: string, sent: unknown, by?: string): Promise<Response> => {
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { origin, "content-type": "application/json", ...(by && { cookie: by }) },
      body: JSON.stringify(sent),
    });
    return new Response(await response.text(), response);
  };
  const challenge = async (path: string, by?: string): Promise<string> => {
    const { challenge: found } = await (await post(path, {}, by)).json();
    secrets.addText({ name: "a passkey's challenge" }, found);
    return found;
  };
  const authenticator = new TestAuthenticator({ origin, host: "localhost" }, invited.user.id);
  secrets.addBytes({ name: "a passkey's key" }, authenticator.secret);
  const adding = await challenge("/account/passkeys/options", cookie);
  const credential = authenticator.create(adding);
  const added = await post("/account/passkeys", { name: "laptop", credential }, cookie);
  assertEquals(added.status, 200, await added.text());
  const answer = authenticator.get(await challenge("/login/passkey/options"));
  const entered = await post("/login/passkey", { credential: answer });
  assertEquals(entered.status, 200, await entered.text());
  const session = /immune_session=([^;]+)/.exec(entered.headers.get("set-cookie") ?? "")?.[1];
  secrets.addText({ name: "a passkey's session" }, session ?? "");
  assertEquals((await post("/login/passkey", { credential: answer })).status, 401);
}

/** Has a person come in by the OpenID provider, rightly, and with an answer that does not hold. */
export async function exerciseOidc(
  { secrets }: MarkerScene,
  { hive: { origin }, token, provider }: Asking & { readonly provider: TestProvider },
): Promise<void> {
  const body = { name: "oscar", role: "viewer", oidcSubject: provider.subject };
  await (await ask(`${origin}/api/v1/users`, { token, body })).body?.cancel();
  for (const wrongs of [{ signature: "other" } as const, {}]) {
    provider.wrongs = wrongs;
    const begun = await fetch(`${origin}/login/oidc`, { redirect: "manual" });
    const cookie = (begun.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    await begun.body?.cancel();
    const location = new URL(begun.headers.get("location") ?? "");
    secrets.addText({ name: "an OpenID flow's browser" }, cookie.split("=")[1] ?? "");
    for (const name of ["state", "nonce"]) {
      secrets.addText({ name: `an OpenID ${name}` }, location.searchParams.get(name) ?? "");
    }
    const led = await fetch(location, { redirect: "manual" });
    const back = new URL(led.headers.get("location") ?? "");
    await led.body?.cancel();
    secrets.addText({ name: "an OpenID code" }, back.searchParams.get("code") ?? "");
    const entered = await fetch(back, { redirect: "manual", headers: { cookie } });
    await entered.body?.cancel();
    assertEquals(entered.ok, wrongs.signature === undefined);
  }
  for (const secret of provider.seen) secrets.addText({ name: "an OpenID token" }, secret);
}

/**
 * Makes a stop key as shares, and uses it: from files, typed, with too few, and killed in the
 * middle of it.
 */
export async function exerciseStopKey(scene: MarkerScene, folder: string): Promise<void> {
  const { secrets } = scene;
  const out = `${folder}/shares`;
  await scene.operatorVerb(["kill-switch", "init", "--out", out]);
  const files = [...Deno.readDirSync(out)].map(({ name }) => `${out}/${name}`).sort();
  assertEquals(files.length, 5);
  await addShares(secrets, files);
  const lines = files.map((file) => shareIn(file)).join("\n");
  const drill = ["kill-switch", "drill", "--wait", "0"];
  // No host answers in no time: the verb says so by its exit code.
  await scene.operatorVerb([...drill, ...files.slice(0, 3).flatMap(named)], { isRefused: true });
  await scene.operatorVerb(drill, { input: lines, isRefused: true });
  await scene.operatorVerb([...drill, ...files.slice(0, 2).flatMap(named)], { isRefused: true });
  await scene.operatorVerb(["kill-switch", "verify-share", ...named(files[4] ?? "")]);
  await scene.operatorVerb(drill, { input: lines.slice(0, 150), killedBy: "SIGKILL" });
  await scene.operatorVerb(["kill-switch", "status"]);
  await secrets.lookBelow(out);
}

function named(file: string): string[] {
  return ["--share", file];
}

function shareIn(file: string): string {
  return /IMMUNE-SHARE-\S+/.exec(Deno.readTextFileSync(file))?.[0] ?? "";
}

/** Looks for each share, as it is written and as it is, and for the key that they give. */
export async function addShares(secrets: Secrets, files: readonly string[]): Promise<void> {
  const shares = files.map((file) => readShare(shareIn(file)));
  for (const [i, belongs] of files.entries()) {
    const secret = { name: `share ${i + 1} of the stop key`, belongs };
    secrets.addText(secret, shareIn(belongs));
    secrets.addBytes(secret, shares[i]?.value ?? new Uint8Array());
  }
  const seed = await joinShares(shares.slice(0, 3).map(({ value }) => value));
  secrets.addBytes({ name: "the stop key" }, seed);
}
