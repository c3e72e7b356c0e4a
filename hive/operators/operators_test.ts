import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { addPerson, codeOf, OWNER, whoIs, withOperators } from "./_test_support.ts";
import {
  INVITE_MS,
  LOGIN_FAILURES_MAX,
  LOGIN_LINK_MS,
  LOGIN_LINKS_MAX,
  LOGIN_WINDOW_MS,
} from "./mod.ts";
import { hashSecret, isSameHash, newSecret, SECRET_CHARACTERS } from "./secret.ts";
import { openOperatorToken, operatorTokenHash } from "./token_file.ts";

Deno.test("Operators takes the operator token and nothing like it", () =>
  withOperators(async ({ token, operators }) => {
    const kind = async (authorization: string): Promise<string> =>
      (await operators.principal({ authorization, session: undefined })).kind;
    assertEquals(await kind(`Bearer ${token}`), "token");
    assertEquals(await kind(`bearer  ${token} `), "token");
    await fc.assert(fc.asyncProperty(fc.string({ maxLength: 60 }), async (text) => {
      if (text.trim() === token) return;
      assertEquals(await codeOf(() => kind(`Bearer ${text}`)), "AUTH_REQUIRED");
      assertEquals(await codeOf(() => kind(text)), "AUTH_REQUIRED");
    }));
  }));

Deno.test("Operators.signIn() takes a login code once, of many at once too", () =>
  withOperators(async ({ operators }) => {
    const code = operators.addLoginCode();
    const session = await operators.signIn(code, "a");
    assertEquals(await whoIs(operators, session), {
      kind: "session",
      role: "admin",
      isFresh: true,
    });
    assertEquals(await codeOf(() => operators.signIn(code, "a")), "AUTH_REQUIRED");
    const another = operators.addLoginCode();
    const tries = await Promise.allSettled([1, 2, 3].map(() => operators.signIn(another, "b")));
    assertEquals(tries.filter(({ status }) => status === "fulfilled").length, 1);
  }));

Deno.test("Operators.signIn() takes a login code until it expires", () =>
  withOperators(async ({ clock, operators }) => {
    const [early, late] = [operators.addLoginCode(), operators.addLoginCode()];
    clock.advance(LOGIN_LINK_MS - 1);
    await operators.signIn(early, "a");
    clock.advance(1);
    assertEquals(await codeOf(() => operators.signIn(late, "a")), "AUTH_REQUIRED");
  }));

Deno.test("Operators.signIn() takes the operator token, again and again", () =>
  withOperators(async ({ token, operators }) => {
    assert(await operators.signIn(token, "a") !== await operators.signIn(token, "a"));
  }));

Deno.test("Operators.signIn() keeps only so many login codes, the newest", () =>
  withOperators(async ({ operators }) => {
    const codes = Array.from({ length: LOGIN_LINKS_MAX + 1 }, () => operators.addLoginCode());
    assertEquals(await codeOf(() => operators.signIn(codes[0] ?? "", "a")), "AUTH_REQUIRED");
    await operators.signIn(codes[1] ?? "", "a");
  }));

Deno.test("Operators.signIn() makes a source wait that keeps failing, and no other one", () =>
  withOperators(async ({ clock, operators }) => {
    const code = operators.addLoginCode();
    for (let i = 0; i < LOGIN_FAILURES_MAX; i++) {
      assertEquals(await codeOf(() => operators.signIn(newSecret(), "a")), "AUTH_REQUIRED");
    }
    assertEquals(await codeOf(() => operators.signIn(code, "a")), "RATE_LIMITED");
    await operators.signIn(operators.addLoginCode(), "b");
    clock.advance(LOGIN_WINDOW_MS);
    // The code was not used up while its source had to wait.
    assertEquals((await whoIs(operators, await operators.signIn(code, "a"))).kind, "session");
  }));

Deno.test("Operators.addInvite() opens that account, once, for a day", () =>
  withOperators(async ({ clock, operators }) => {
    const account = await operators.people.add(OWNER, { name: "ada", role: "viewer" });
    const [code, late] = [operators.addInvite(account), operators.addInvite(account)];
    const { id } = account;
    assertEquals(await whoIs(operators, await operators.signIn(code, "a")), {
      kind: "session",
      person: { id, name: "ada" },
      role: "viewer",
      isFresh: true,
    });
    assertEquals(await codeOf(() => operators.signIn(code, "a")), "AUTH_REQUIRED");
    clock.advance(INVITE_MS);
    assertEquals(await codeOf(() => operators.signIn(late, "b")), "AUTH_REQUIRED");
  }));

Deno.test("Operators records who came in, and who did not", () =>
  withOperators(async ({ operators, audit }) => {
    await operators.signIn(operators.addLoginCode(), "127.0.0.1");
    await codeOf(() => operators.signIn("wrong", "10.0.0.9"));
    const { entries } = audit.read({ limit: 2 });
    assertEquals(entries.map(({ actor, action, decision }) => [actor.id, action, decision]), [
      ["10.0.0.9", "session.start", "refused"],
      ["host", "session.start", "allowed"],
    ]);
  }));

Deno.test("Operators lets nobody in when it cannot be recorded", () =>
  withOperators(async ({ operators, audit, token }) => {
    const person = await addPerson(operators);
    audit[Symbol.dispose]();
    assertEquals(await codeOf(() => operators.signIn(token, "a")), "AUDIT_UNWRITABLE");
    const add = (): Promise<unknown> => operators.people.add(OWNER, { name: "bob", role: "admin" });
    assertEquals(await codeOf(add), "AUDIT_UNWRITABLE");
    assertEquals(await operators.accounts.named("bob"), undefined);
    assert(person.kind === "session");
  }));

Deno.test("newSecret() gives 256 bits in 43 characters, another one each time", () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  assertEquals(new Set(secrets).size, 100);
  for (const secret of secrets) {
    assert(/^[\w-]+$/.test(secret) && secret.length === SECRET_CHARACTERS);
  }
});

Deno.test("isSameHash() compares whole hashes", () => {
  const hash = hashSecret("a");
  assertEquals(hash, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
  assert(isSameHash(hash, hash));
  assert(!isSameHash(hash, hashSecret("b")));
  assert(!isSameHash(hash, hash.slice(1)) && !isSameHash(hash, ""));
});

Deno.test("openOperatorToken() makes a token once, for its owner alone", async () => {
  const folder = await Deno.makeTempDir();
  const token = openOperatorToken(folder);
  assertEquals(openOperatorToken(folder), token);
  assertEquals(operatorTokenHash(folder), hashSecret(token));
  assertEquals((await Deno.stat(`${folder}/operator.token`)).mode, 0o100600);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openOperatorToken() says what is wrong with a damaged or unreadable one", async () => {
  const folder = await Deno.makeTempDir();
  const code = (path: string): string =>
    assertThrows(() => openOperatorToken(path), ImmuneError).code;
  for (const text of ["", "short\n", "a".repeat(42) + "!"]) {
    await Deno.writeTextFile(`${folder}/operator.token`, text);
    assertEquals(code(folder), "STATE_UNUSABLE");
  }
  assertEquals(code(`${folder}/none`), "STATE_UNUSABLE");
  await Deno.remove(folder, { recursive: true });
});
