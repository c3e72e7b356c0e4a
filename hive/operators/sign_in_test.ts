import { assert, assertEquals } from "@std/assert";
import { addPerson, codeOf, OWNER, PASSWORD, whoIs, withOperators } from "./_test_support.ts";
import {
  LOCK_AFTER_FAILURES,
  LOCK_MS,
  type Operators,
  type Principal,
  REFUSALS_RECORDED_MAX,
  UNKNOWN_NAMES_MAX,
} from "./mod.ts";
import { Lockout } from "./lockout.ts";
import { totpCode } from "./totp.ts";

function login(operators: Operators, changes: Record<string, string> = {}): Promise<string> {
  const { source = "a", ...typed } = changes;
  const asked = { name: "ada", password: PASSWORD, code: "", ...typed };
  return operators.signInByPassword(asked, source);
}

async function withTotp(
  operators: Operators,
  { person, nowMs }: { readonly person: Principal; readonly nowMs: number },
): Promise<{ readonly secret: string; readonly codes: readonly string[] }> {
  const { setup, secret } = await operators.people.startTotp(person);
  const code = totpCode(secret, nowMs);
  return { secret, codes: await operators.people.confirmTotp(person, { setup, code }) };
}

Deno.test("SignIn.byPassword() takes name and password, and says the same to all else", () =>
  withOperators(async ({ operators }) => {
    await addPerson(operators);
    await operators.people.add(OWNER, { name: "bob", role: "viewer" });
    const found = await whoIs(operators, await login(operators));
    assert(found.kind === "session" && found.person?.name === "ada");
    const wrong = [{ password: "x" }, { name: "eve" }, { name: "bob" }, {
      name: "bob",
      password: "",
    }];
    for (const changes of wrong) {
      assertEquals(await codeOf(() => login(operators, changes)), "AUTH_REQUIRED");
    }
    const account = await operators.accounts.known("ada");
    await operators.people.setDisabled(OWNER, account, { disabled: true });
    assertEquals(await codeOf(() => login(operators, { source: "b" })), "AUTH_REQUIRED");
  }));

Deno.test("SignIn.byPassword() asks for the app's code where there is one, each once", () =>
  withOperators(async ({ operators, clock }) => {
    const person = await addPerson(operators);
    const { secret } = await withTotp(operators, { person, nowMs: clock.nowMs() });
    const first = totpCode(secret, clock.nowMs());
    assertEquals(await codeOf(() => login(operators)), "AUTH_REQUIRED");
    // It was used to set the app up.
    assertEquals(await codeOf(() => login(operators, { code: first })), "AUTH_REQUIRED");
    clock.advance(30_000);
    const code = totpCode(secret, clock.nowMs());
    const tries = await Promise.allSettled([1, 2, 3].map(() => login(operators, { code })));
    assertEquals(tries.filter(({ status }) => status === "fulfilled").length, 1);
  }));

Deno.test("SignIn.byPassword() takes each recovery code once", () =>
  withOperators(async ({ operators, clock }) => {
    const person = await addPerson(operators);
    const { codes } = await withTotp(operators, { person, nowMs: clock.nowMs() });
    assertEquals(new Set(codes).size, 10);
    const [code = "", other = ""] = codes;
    await login(operators, { code: ` ${code.toUpperCase()}` });
    assertEquals(await codeOf(() => login(operators, { code })), "AUTH_REQUIRED");
    const renewed = await operators.people.renewRecovery(person);
    assertEquals(await codeOf(() => login(operators, { code: other })), "AUTH_REQUIRED");
    await login(operators, { code: renewed[3] ?? "" });
    assertEquals((await operators.accounts.named("ada"))?.recovery.length, 9);
  }));

Deno.test("SignIn.byPassword() locks an account that is guessed at, wherever from", () =>
  withOperators(async ({ operators, clock }) => {
    await addPerson(operators);
    for (const name of ["ada", "nobody"]) {
      for (let i = 0; i < LOCK_AFTER_FAILURES; i++) {
        const guess = { name, password: "wrong", source: `${name} ${i}` };
        assertEquals(await codeOf(() => login(operators, guess)), "AUTH_REQUIRED");
      }
      const locked = { name, source: "elsewhere" };
      assertEquals(await codeOf(() => login(operators, locked)), "RATE_LIMITED");
    }
    clock.advance(LOCK_MS);
    await login(operators);
    await login(operators);
  }));

Deno.test("SignIn.byPassword() gives guesses at the same time no more tries", () =>
  withOperators(async ({ operators }) => {
    await addPerson(operators);
    const codes = await Promise.all(
      Array.from(
        { length: 16 },
        (_, i) => codeOf(() => login(operators, { password: "wrong", source: `${i}` })),
      ),
    );
    const tried = codes.filter((code) => code === "AUTH_REQUIRED").length;
    assertEquals(tried, LOCK_AFTER_FAILURES);
  }));

Deno.test("Lockout waits longer each time, and unknown names push no account out", () =>
  withOperators(({ clock }) => {
    const lockout = new Lockout(clock);
    for (let i = 0; i < LOCK_AFTER_FAILURES + 2; i++) lockout.fail("ada", { isKnown: true });
    assertEquals(lockout.waitMs("ada"), LOCK_MS * 4);
    for (let i = 0; i < 2 * UNKNOWN_NAMES_MAX; i++) lockout.fail(`${i}`, { isKnown: false });
    assertEquals(lockout.waitMs("ada"), LOCK_MS * 4);
    lockout.clear("ada");
    assertEquals([lockout.waitMs("ada"), lockout.refused], [0, 2]);
    return Promise.resolve();
  }));

Deno.test("refusals are recorded up to a bound, and the rest is counted", () =>
  withOperators(async ({ operators, audit, clock }) => {
    for (let i = 0; i < REFUSALS_RECORDED_MAX + 7; i++) {
      await codeOf(() => operators.signIn("wrong", `source ${i}`));
    }
    assertEquals(audit.head.sequence, REFUSALS_RECORDED_MAX);
    clock.advance(60_000);
    await codeOf(() => operators.signIn("wrong", "source"));
    assertEquals(audit.read({ limit: 1 }).entries[0]?.detail?.["unrecorded"], 7);
  }));
