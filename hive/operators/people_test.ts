import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { addPerson, codeOf, OWNER, PASSWORD, whoIs, withOperators } from "./_test_support.ts";
import { type Account, accountView, SETUP_MS, TOKEN_MS_MAX, TOKENS_PER_PERSON_MAX } from "./mod.ts";
import { totpCode } from "./totp.ts";

const DAY_MS = 86_400_000;

Deno.test("People.add() adds an account once, and takes no odd name", () =>
  withOperators(async ({ operators }) => {
    const { people } = operators;
    const ada = await people.add(OWNER, { name: "ada", role: "analyst" });
    assertEquals(accountView(ada).password, false);
    assertEquals(await operators.accounts.named("ada"), ada);
    for (const name of ["ada", "a", "Ada", "ada lovelace", "-ada", "аda", "x".repeat(65), "a\n"]) {
      const add = (): Promise<unknown> => people.add(OWNER, { name, role: "viewer" });
      assertEquals([name, await codeOf(add)], [name, "INPUT_MALFORMED"]);
    }
    assertEquals((await operators.accounts.list()).length, 1);
  }));

Deno.test("People gives one of two accounts a subject that both are to have at once", () =>
  withOperators(async ({ operators }) => {
    const { people, accounts } = operators;
    const add = (name: string, oidcSubject?: string): Promise<Account> =>
      people.add(OWNER, { name, role: "viewer", oidcSubject });
    const added = await Promise.allSettled([add("ada", "s-1"), add("bob", "s-1")]);
    assertEquals(added.map(({ status }) => status), ["fulfilled", "rejected"]);
    assertEquals((await accounts.list()).map(({ oidcSubject }) => oidcSubject), ["s-1"]);
    const linked = await Promise.allSettled(
      [await add("cleo"), await add("dan")].map((account) =>
        people.setOidcSubject(OWNER, account, { subject: "s-2" })
      ),
    );
    assertEquals(linked.map(({ status }) => status), ["fulfilled", "rejected"]);
  }));

Deno.test("People records what it changes, and what failed", () =>
  withOperators(async ({ operators, audit }) => {
    const account = await operators.people.add(OWNER, { name: "ada", role: "viewer" });
    await operators.people.setRole(OWNER, account, { role: "admin" });
    await codeOf(() => operators.people.add(OWNER, { name: "ada", role: "viewer" }));
    const { entries } = audit.read({ limit: 9 });
    assertEquals(
      entries.map(({ action, object, decision, detail }) => [
        action,
        object,
        decision,
        detail?.["to"] ?? detail?.["code"] ?? null,
      ]),
      [
        ["user.add", "ada", "failed", "INPUT_MALFORMED"],
        ["user.add", "ada", "allowed", null],
        ["user.role", "ada", "allowed", "admin"],
        ["user.add", "ada", "allowed", null],
      ],
    );
  }));

Deno.test("People.setPassword() asks for the one until now, and ends other sessions", () =>
  withOperators(async ({ operators }) => {
    const person = await addPerson(operators);
    const { id } = await operators.people.own(person);
    const [kept, other] = [operators.sessions.start(id), operators.sessions.start(id)];
    const change = (current: string, password = "another good password") =>
      operators.people.setPassword(person, { current, password, session: kept });
    assertEquals(await codeOf(() => change("wrong")), "FORBIDDEN");
    assertEquals(await codeOf(() => change(PASSWORD, "short")), "INPUT_MALFORMED");
    await change(PASSWORD);
    const kinds = [(await whoIs(operators, kept)).kind, (await whoIs(operators, other)).kind];
    assertEquals(kinds, ["session", "anonymous"]);
  }));

Deno.test("People.confirmTotp() takes a code of that set-up and person, in time", () =>
  withOperators(async ({ operators, clock }) => {
    const { people } = operators;
    const [ada, bob] = [await addPerson(operators), await addPerson(operators, "bob")];
    const begin = async (): Promise<{ setup: string; code: string }> => {
      const { setup, secret } = await people.startTotp(ada);
      return { setup, code: totpCode(secret, clock.nowMs()) };
    };
    assertEquals(await codeOf(async () => people.confirmTotp(bob, await begin())), "FORBIDDEN");
    const wrong = { ...await begin(), code: "000000" };
    assertEquals(await codeOf(() => people.confirmTotp(ada, wrong)), "FORBIDDEN");
    const late = await begin();
    clock.advance(SETUP_MS);
    assertEquals(await codeOf(() => people.confirmTotp(ada, late)), "FORBIDDEN");
    const good = await begin();
    assertEquals((await people.confirmTotp(ada, good)).length, 10);
    assertEquals(await codeOf(() => people.confirmTotp(ada, good)), "FORBIDDEN");
    await people.removeTotp(ada);
    assertEquals(await codeOf(() => people.renewRecovery(ada)), "INPUT_MALFORMED");
  }));

Deno.test("People.reset() takes away credentials, sessions and tokens", () =>
  withOperators(async ({ operators }) => {
    const person = await addPerson(operators);
    const account = await operators.people.own(person);
    const session = operators.sessions.start(account.id);
    const { text } = await operators.tokens.add(account, {
      name: "ci",
      role: "viewer",
      lifetimeMs: DAY_MS,
    });
    const view = accountView(await operators.people.reset(OWNER, account));
    assertEquals([view.password, view.totp, view.passkeys], [false, false, 0]);
    assertEquals((await whoIs(operators, session)).kind, "anonymous");
    assertEquals(await operators.tokens.find(text), undefined);
  }));

Deno.test("ApiTokens.find() knows a token until it expires, is revoked or its person is shut", () =>
  withOperators(async ({ operators, clock, store }) => {
    const account = await operators.people.own(
      await addPerson(operators, "ada", { role: "admin" }),
    );
    const add = (role: "viewer" | "admin") =>
      operators.tokens.add(account, { name: "ci", role, lifetimeMs: DAY_MS });
    const { text, token } = await add("viewer");
    const who = () => operators.principal({ authorization: `Bearer ${text}`, session: undefined });
    const found = await who();
    assert(found.kind === "api_token" && found.role === "viewer" && found.person.name === "ada");
    const rows = await store.documents({ kind: "api_token", limit: 9 });
    assert(!JSON.stringify(rows).includes(text.slice(8)), "the secret is not stored");
    clock.advance(DAY_MS);
    assertEquals(await codeOf(who), "AUTH_REQUIRED");
    const admin = await add("admin");
    assertEquals((await operators.tokens.list(account.id)).map(({ id }) => id), [admin.token.id]);
    const authorization = `Bearer ${admin.text}`;
    const role = async (): Promise<unknown> => {
      const principal = await operators.principal({ authorization, session: undefined });
      return principal.kind === "api_token" && principal.role;
    };
    assertEquals(await role(), "admin");
    await operators.people.setRole(OWNER, account, { role: "viewer" });
    assertEquals(await role(), "viewer");
    await operators.people.setDisabled(OWNER, account, { disabled: true });
    assertEquals(await codeOf(role), "AUTH_REQUIRED");
    await operators.people.setDisabled(OWNER, account, { disabled: false });
    await operators.tokens.revoke(admin.token.id);
    assertEquals(await codeOf(role), "AUTH_REQUIRED");
    assert(token.id !== admin.token.id);
  }));

Deno.test("ApiTokens.add() has bounds of time and number", () =>
  withOperators(async ({ operators }) => {
    const account = await operators.people.own(await addPerson(operators));
    const add = (lifetimeMs: number) =>
      operators.tokens.add(account, { name: "ci", role: "viewer", lifetimeMs });
    for (const ms of [0, -1, NaN, TOKEN_MS_MAX + 1]) {
      await assertRejects(() => add(ms), ImmuneError, "has to expire");
    }
    for (let i = 0; i < TOKENS_PER_PERSON_MAX; i++) await add(DAY_MS);
    assertEquals(await codeOf(() => add(DAY_MS)), "RATE_LIMITED");
  }));

Deno.test("Accounts.change() of many at once loses none", () =>
  withOperators(async ({ operators }) => {
    const { id } = await operators.people.add(OWNER, { name: "ada", role: "viewer" });
    await Promise.all(
      [1, 2, 3, 4, 5].map((number) =>
        operators.accounts.change(
          id,
          (now) => ({ ...now, recovery: [...now.recovery, `${number}`] }),
        )
      ),
    );
    assertEquals((await operators.accounts.get(id))?.recovery.length, 5);
  }));
