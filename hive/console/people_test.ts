import { assert, assertEquals } from "@std/assert";
import { openTestHive, type TestHive } from "../api/_test_support.ts";
import { PASSWORD } from "../operators/_test_support.ts";
import { totpCode } from "../operators/totp.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
}

interface Browser {
  cookie: string;
  get(path: string): Promise<Answer>;
  post(path: string, fields?: Record<string, string>): Promise<Answer>;
}

/** A browser as far as its requests go: it keeps the cookie that it is given. */
function browser(hive: TestHive): Browser {
  const answerOf = async (response: Response): Promise<Answer> => {
    const cookie = response.headers.get("set-cookie");
    if (cookie !== null) self.cookie = cookie.split(";")[0] ?? "";
    const location = response.headers.get("location");
    return { status: response.status, text: await response.text(), location };
  };
  const self: Browser = {
    cookie: "",
    async get(path): Promise<Answer> {
      const headers = { accept: "text/html", cookie: self.cookie };
      return await answerOf(await hive.api.request(path, { headers }));
    },
    async post(path, fields = {}): Promise<Answer> {
      return await answerOf(
        await hive.api.request(path, {
          method: "POST",
          headers: {
            accept: "text/html",
            cookie: self.cookie,
            origin: "http://localhost",
            "content-type": "application/x-www-form-urlencoded",
          },
          body: new URLSearchParams(fields).toString(),
        }),
      );
    },
  };
  return self;
}

async function owner(hive: TestHive): Promise<Browser> {
  const made = browser(hive);
  await made.get(`/login?code=${hive.operators.addLoginCode()}`);
  return made;
}

/** An admin with the account "ada". */
async function admin(hive: TestHive): Promise<Browser> {
  const made = await owner(hive);
  await made.post("/account/first", { name: "ada", password: PASSWORD });
  return made;
}

function linkIn(text: string): string {
  return /http:\/\/localhost(\/login\?code=[\w-]+)/.exec(text)?.[1] ?? "";
}

Deno.test("console: the host's owner makes the first account, and is signed in to it", async () => {
  await using hive = await openTestHive();
  const ada = await owner(hive);
  assert((await ada.get("/account")).text.includes("Make your account"));
  const weak = await ada.post("/account/first", { name: "ada", password: "short" });
  assertEquals(weak.status, 400);
  assertEquals(await hive.operators.accounts.list(), []);
  const before = ada.cookie;
  const made = await ada.post("/account/first", { name: "ada", password: PASSWORD });
  assertEquals([made.status, made.location], [303, "/account"]);
  assert(before !== ada.cookie, "the session is another one");
  assert((await ada.get("/account")).text.includes("Your role is admin."));
  const old = browser(hive);
  old.cookie = before;
  assertEquals((await old.get("/")).status, 303);
});

Deno.test("console: name and password sign in, with the app's code where there is one", async () => {
  await using hive = await openTestHive();
  const ada = await admin(hive);
  const begun = await ada.post("/account/totp");
  const secret = /id="totp-secret">(\w+)</.exec(begun.text)?.[1] ?? "";
  const setup = /name="setup" value="([\w-]+)"/.exec(begun.text)?.[1] ?? "";
  const code = totpCode(secret, hive.clock.nowMs());
  const confirmed = await ada.post("/account/totp/confirm", { setup, code });
  assertEquals(confirmed.text.match(/<li>[a-z2-7-]{19}<\/li>/g)?.length, 10);
  assert(!(await ada.get("/account")).text.includes(secret), "the secret is shown once");
  hive.clock.advance(30_000);
  const other = browser(hive);
  const fields = { name: " Ada ", password: PASSWORD };
  const refused = await other.post("/login/password", fields);
  assertEquals(refused.status, 401);
  assert(refused.text.includes("name, password or code is wrong"));
  const totp = totpCode(secret, hive.clock.nowMs());
  const entered = await other.post("/login/password", { ...fields, totp });
  assertEquals([entered.status, entered.location], [303, "/"]);
  assertEquals((await other.get("/")).status, 200);
});

Deno.test("console: an account is changed only by who has just signed in", async () => {
  await using hive = await openTestHive();
  const ada = await admin(hive);
  hive.clock.advance(16 * 60_000);
  const change = { current: PASSWORD, password: "another good password" };
  const stale = await ada.post("/account/password", change);
  assertEquals(stale.status, 403);
  assert(stale.text.includes("sign out and in again"));
  await ada.post("/login/password", { name: "ada", password: PASSWORD });
  const changed = await ada.post("/account/password", change);
  assert(changed.text.includes("The password is changed"), changed.text);
});

Deno.test("console: an admin adds, changes, shuts and resets accounts", async () => {
  await using hive = await openTestHive();
  const ada = await admin(hive);
  const added = await ada.post("/users", { name: "bob", role: "viewer" });
  const bob = browser(hive);
  await bob.get(linkIn(added.text));
  assertEquals((await bob.get("/")).status, 200);
  assertEquals((await bob.get("/users")).status, 403);
  const id = (await hive.operators.accounts.named("bob"))?.id ?? "";
  await ada.post(`/users/${id}/role`, { role: "admin" });
  assertEquals((await bob.get("/users")).status, 200);
  assertEquals((await ada.post("/users", { name: "bob", role: "viewer" })).status, 400);
  assertEquals((await ada.post(`/users/${id}/role`, { role: "root" })).status, 400);
  const reset = await ada.post(`/users/${id}/reset`);
  assertEquals((await bob.get("/")).status, 303);
  await ada.post(`/users/${id}/switch`, { disabled: "true" });
  assertEquals((await bob.get(linkIn(reset.text))).status, 401);
});

Deno.test("console: tokens are shown once and revoked", async () => {
  await using hive = await openTestHive();
  const ada = await admin(hive);
  const made = await ada.post("/account/tokens", { name: "ci", role: "viewer", expires: "1d" });
  const token = /immune_[\w-]{43}/.exec(made.text)?.[0] ?? "";
  const status = async (): Promise<number> =>
    (await hive.api.request("/api/v1/status", { headers: { authorization: `Bearer ${token}` } }))
      .status;
  assertEquals(await status(), 200);
  const page = (await ada.get("/account")).text;
  assert(!page.includes(token));
  const id = /name="id" value="([\w-]+)"/.exec(page)?.[1] ?? "";
  await ada.post("/account/tokens/revoke", { id });
  assertEquals(await status(), 401);
});

Deno.test("console: what takes two people waits for the other one", async () => {
  await using hive = await openTestHive({}, { twoPerson: ["user.role"] });
  const ada = await admin(hive);
  const added = await ada.post("/users", { name: "bob", role: "responder" });
  await ada.post("/users", { name: "eve", role: "viewer" });
  const eve = await hive.operators.accounts.named("eve");
  const asked = await ada.post(`/users/${eve?.id}/role`, { role: "analyst" });
  assert(asked.text.includes("Another person has to approve it"));
  const [request] = await hive.operators.approvals.list();
  const own = await ada.post(`/approvals/${request?.id}/approve`);
  assertEquals(own.status, 403);
  const bob = browser(hive);
  await bob.get(linkIn(added.text));
  const seen = (await bob.get("/approvals")).text;
  assert(seen.includes("user.role eve: viewer to analyst"));
  // Who may not change a role sees the request, and may deny it, but not stand behind it.
  assertEquals([seen.includes("/approve"), seen.includes("/deny")], [false, true]);
  assertEquals((await bob.post(`/approvals/${request?.id}/approve`)).status, 403);
  const { id } = await hive.operators.accounts.known("bob");
  await hive.operators.accounts.change(id, (account) => ({ ...account, role: "admin" }));
  assert((await bob.get("/approvals")).text.includes("/approve"));
  await bob.post(`/approvals/${request?.id}/approve`);
  assertEquals((await hive.operators.accounts.named("eve"))?.role, "analyst");
  assert((await bob.get("/approvals")).text.includes("approved by bob"));
});

Deno.test("console: the audit log shows who did what, and whether it is whole", async () => {
  await using hive = await openTestHive();
  const ada = await admin(hive);
  for (let i = 0; i < 60; i++) await ada.post("/account/recovery");
  await ada.post("/account/totp/remove");
  for (let i = 0; i < 60; i++) {
    await ada.post("/users", { name: `person-${i}`, role: "viewer" });
  }
  const { text } = await ada.get("/audit");
  assert(text.includes("user.add person-59") && text.includes("hang together"), text);
  const older = /\/audit\?before=(\d+)/.exec(text)?.[0] ?? "";
  assert((await ada.get(older)).text.includes("account.totp_removed"));
  assertEquals((await ada.get("/audit?before=x")).status, 400);
});
