import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { startProvider, type TestProvider } from "../../tests/support/oidc_provider.ts";
import { codeOf, OWNER, whoIs, withOperators } from "./_test_support.ts";
import { Oidc, type Operators } from "./mod.ts";

const REDIRECT = "http://127.0.0.1:9999/login/oidc/callback";

async function addAda(operators: Operators): Promise<void> {
  const account = await operators.people.add(OWNER, { name: "ada", role: "analyst" });
  await operators.people.setOidcSubject(OWNER, account, { subject: "subject-1" });
}

/** Goes to the provider and comes back, as a browser does. */
async function comeBack(oidc: Oidc): Promise<{ readonly query: string; readonly browser: string }> {
  const { location, browser } = await oidc.begin(REDIRECT);
  const answer = await fetch(location, { redirect: "manual" });
  await answer.body?.cancel();
  return { query: new URL(answer.headers.get("location") ?? "").search, browser };
}

function withProvider(
  test: (made: { operators: Operators; oidc: Oidc; provider: TestProvider }) => Promise<void>,
): Promise<void> {
  return withOperators(async ({ operators, clock }) => {
    await using provider = await startProvider();
    const { accounts, signIns } = operators;
    const oidc = new Oidc({ provider, accounts, signIns, clock });
    await addAda(operators);
    await test({ operators, oidc, provider });
  });
}

Deno.test("Oidc signs in whom the provider means, by the subject alone", () =>
  withProvider(async ({ operators, oidc, provider }) => {
    const { query, browser } = await comeBack(oidc);
    const session = await oidc.finish(query, { browser, source: "a" });
    const found = await whoIs(operators, session);
    assert(found.kind === "session" && found.person?.name === "ada");
    assertEquals(await codeOf(() => oidc.finish(query, { browser, source: "a" })), "AUTH_REQUIRED");
    provider.subject = "subject-2";
    provider.wrongs = { claims: { email: "ada", preferred_username: "ada" } };
    const other = await comeBack(oidc);
    const unknown = { browser: other.browser, source: "b" };
    assertEquals(await codeOf(() => oidc.finish(other.query, unknown)), "AUTH_REQUIRED");
  }));

Deno.test("Oidc takes only the browser that it sent", () =>
  withProvider(async ({ oidc }) => {
    const [victim, attacker] = [await comeBack(oidc), await comeBack(oidc)];
    for (const browser of [attacker.browser, undefined, ""]) {
      const { query } = await comeBack(oidc);
      assertEquals(
        await codeOf(() => oidc.finish(query, { browser, source: "a" })),
        "AUTH_REQUIRED",
      );
    }
    await oidc.finish(victim.query, { browser: victim.browser, source: "a" });
  }));

Deno.test("Oidc says that the provider does not answer, and asks it again the next time", () =>
  withOperators(async ({ operators, clock }) => {
    const { accounts, signIns } = operators;
    const nobody = { issuer: "http://127.0.0.1:1", clientId: "immune" };
    const oidc = new Oidc({ provider: nobody, accounts, signIns, clock });
    for (let i = 0; i < 2; i++) {
      assertEquals(await codeOf(() => oidc.begin(REDIRECT)), "AUTH_REQUIRED");
    }
    for (const issuer of ["http://example.org", "ftp://127.0.0.1", "x"]) {
      const provider = { issuer, clientId: "immune" };
      const make = (): Oidc => new Oidc({ provider, accounts, signIns, clock });
      assertEquals(assertThrows(make, ImmuneError).code, "CONFIG_INVALID");
    }
  }));
