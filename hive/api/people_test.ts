import { assert, assertEquals } from "@std/assert";
import { errorSchema } from "../../common/link/protocol.ts";
import { openTestHive, type TestHive } from "./_test_support.ts";
import { auditReportSchema, auditSchema } from "./audit.ts";
import { addedTokenSchema, apiTokensSchema } from "./tokens.ts";
import { invitedSchema, userSchema, usersSchema } from "./users.ts";

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  /** Default: the operator token. */
  readonly token?: string;
}

async function ask(hive: TestHive, path: string, asked: Asked = {}): Promise<Response> {
  const { method = asked.body === undefined ? "GET" : "POST", body, token = hive.token } = asked;
  return await hive.api.request(`/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function errorOf(response: Response): Promise<unknown> {
  return [response.status, errorSchema.parse(await response.json()).error.code];
}

async function addUser(hive: TestHive, name: string, role: string): Promise<string> {
  const answer = await ask(hive, "/users", { body: { name, role } });
  return invitedSchema.parse(await answer.json()).path;
}

async function addToken(hive: TestHive, user: string, role: string): Promise<string> {
  const body = { name: "ci", role, expires: "30d", user };
  const answer = await ask(hive, "/tokens", { body });
  return addedTokenSchema.parse(await answer.json()).text;
}

Deno.test("the API adds accounts whose link opens them once", async () => {
  await using hive = await openTestHive();
  const path = await addUser(hive, "ada", "analyst");
  const { users } = usersSchema.parse(await (await ask(hive, "/users")).json());
  assertEquals(users.map(({ name, role, password }) => [name, role, password]), [
    ["ada", "analyst", false],
  ]);
  const first = await hive.api.request(path);
  assertEquals([first.status, (await hive.api.request(path)).status], [303, 401]);
  const cookie = (first.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const own = await hive.api.request("/api/v1/audit", { headers: { cookie } });
  assertEquals(own.status, 200);
  assertEquals((await hive.api.request("/api/v1/users", { headers: { cookie } })).status, 403);
});

Deno.test("the API changes accounts by id or name, and says which is not there", async () => {
  await using hive = await openTestHive();
  await addUser(hive, "ada", "analyst");
  const change = (id: string, body: unknown): Promise<Response> =>
    ask(hive, `/users/${id}`, { method: "PATCH", body });
  const changed = userSchema.parse(
    await (await change("ada", { role: "admin", disabled: true, oidcSubject: "s-1" })).json(),
  );
  assertEquals([changed.role, changed.disabled, changed.oidcSubject], ["admin", true, "s-1"]);
  assertEquals(userSchema.parse(await (await change(changed.id, {})).json()), changed);
  assertEquals(await errorOf(await change("bob", {})), [404, "NOT_FOUND"]);
  for (const body of [{ role: "root" }, { unknown: 1 }, [], null, "x"]) {
    assertEquals(await errorOf(await change("ada", body)), [400, "INPUT_MALFORMED"]);
  }
  const reset = await ask(hive, "/users/ada/reset", { method: "POST" });
  assert(invitedSchema.parse(await reset.json()).path.startsWith("/login?code="));
});

Deno.test("the API leaves no account behind whose subject another one has", async () => {
  await using hive = await openTestHive();
  const add = (body: unknown): Promise<Response> => ask(hive, "/users", { method: "POST", body });
  const first = await add({ name: "ada", role: "analyst", oidcSubject: "s-1" });
  assertEquals(first.status, 200, await first.text());
  const second = { name: "bob", role: "analyst", oidcSubject: "s-1" };
  assertEquals(await errorOf(await add(second)), [400, "INPUT_MALFORMED"]);
  const bob = await add({ ...second, oidcSubject: "s-2" });
  assertEquals(bob.status, 200, await bob.text());
});

Deno.test("the API gives tokens a role at most their person's, and shows everyone the own", async () => {
  await using hive = await openTestHive();
  await addUser(hive, "ada", "analyst");
  await addUser(hive, "bob", "viewer");
  const more = { name: "x", role: "admin", expires: "1d", user: "ada" };
  assertEquals(await errorOf(await ask(hive, "/tokens", { body: more })), [403, "FORBIDDEN"]);
  const ada = await addToken(hive, "ada", "analyst");
  const bob = await addToken(hive, "bob", "viewer");
  const names = async (token?: string): Promise<unknown> => {
    const answer = await ask(hive, "/tokens", token === undefined ? {} : { token });
    const { tokens } = apiTokensSchema.parse(await answer.json());
    return tokens.map(({ person }) => person.name).sort();
  };
  assertEquals([await names(), await names(ada), await names(bob)], [
    ["ada", "bob"],
    ["ada"],
    ["bob"],
  ]);
  // A program makes no other token, not even its own person's.
  const another = { name: "x", role: "viewer", expires: "1d" };
  assertEquals(await errorOf(await ask(hive, "/tokens", { body: another, token: ada })), [
    403,
    "FORBIDDEN",
  ]);
});

Deno.test("the API revokes own tokens, and an admin's caller any", async () => {
  await using hive = await openTestHive();
  await addUser(hive, "ada", "analyst");
  await addUser(hive, "bob", "viewer");
  const [ada, bob] = [
    await addToken(hive, "ada", "analyst"),
    await addToken(hive, "bob", "viewer"),
  ];
  const { tokens } = apiTokensSchema.parse(await (await ask(hive, "/tokens")).json());
  const idOf = (name: string): string =>
    tokens.find(({ person }) => person.name === name)?.id ?? "";
  const revoke = (id: string, token: string): Promise<Response> =>
    ask(hive, `/tokens/${id}`, { method: "DELETE", token });
  assertEquals(await errorOf(await revoke(idOf("ada"), bob)), [404, "NOT_FOUND"]);
  assertEquals((await revoke(idOf("ada"), ada)).status, 200);
  assertEquals((await revoke(idOf("bob"), hive.token)).status, 200);
  for (const token of [ada, bob]) {
    assertEquals(await errorOf(await ask(hive, "/status", { token })), [401, "AUTH_REQUIRED"]);
  }
});

Deno.test("the API shows decisions in pages, and checks their log", async () => {
  await using hive = await openTestHive();
  for (const name of ["ada", "bob", "eve"]) await addUser(hive, name, "viewer");
  const page = async (query: string): Promise<ReturnType<typeof auditSchema.parse>> =>
    auditSchema.parse(await (await ask(hive, `/audit?${query}`)).json());
  const first = await page("limit=2&action=user");
  assertEquals(first.entries.map(({ object }) => object), ["eve", "bob"]);
  const rest = await page(`limit=2&action=user.add&before=${first.next}`);
  assertEquals([rest.entries.map(({ object }) => object), rest.next], [["ada"], null]);
  const report = auditReportSchema.parse(await (await ask(hive, "/audit/report")).json());
  assertEquals([report.whole, report.entries, report.broken], [true, 3, null]);
  for (const query of ["limit=0", "before=x", "action=A", "other=1"]) {
    assertEquals(await errorOf(await ask(hive, `/audit?${query}`)), [400, "INPUT_MALFORMED"]);
  }
});

Deno.test("the API records that someone was refused what the role does not have", async () => {
  await using hive = await openTestHive();
  await addUser(hive, "bob", "viewer");
  const token = await addToken(hive, "bob", "viewer");
  const refused = await ask(hive, "/users", { token, body: { name: "eve", role: "admin" } });
  assertEquals(await errorOf(refused), [403, "FORBIDDEN"]);
  const [entry] = hive.audit.read({ limit: 1 }).entries;
  assertEquals([entry?.actor.name, entry?.action, entry?.decision], [
    "bob",
    "users.create",
    "refused",
  ]);
});
