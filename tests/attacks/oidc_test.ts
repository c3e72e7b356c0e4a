import { type OidcStart, Operators } from "../../hive/operators/mod.ts";
import { withOperators } from "../../hive/operators/_test_support.ts";
import { startProvider, type TestProvider, type Wrongs } from "../support/oidc_provider.ts";
import { type Attack, attackTable, thrownBy } from "./table.ts";

const REDIRECT = "http://127.0.0.1:9999/login/oidc/callback";

interface Target {
  readonly operators: Operators;
  readonly provider: TestProvider;
}

/** A hive whose account "ada" is the provider's subject-1. */
async function onProvider(attack: (target: Target) => Promise<void>): Promise<void> {
  await withOperators(async ({ store, audit, clock }) => {
    await using provider = await startProvider();
    const operators = new Operators({
      tokenHash: "0".repeat(64),
      store,
      audit,
      clock,
      oidc: provider,
    });
    const owner = { kind: "token" } as const;
    const account = await operators.people.add(owner, { name: "ada", role: "admin" });
    await operators.people.setOidcSubject(owner, account, { subject: "subject-1" });
    await attack({ operators, provider });
  });
}

async function begin({ operators }: Target): Promise<OidcStart> {
  const started = await operators.oidc?.begin(REDIRECT);
  if (started === undefined) throw new Error("there is no provider");
  return started;
}

/** The query with which the provider leads back. */
async function queryOf({ location }: OidcStart): Promise<string> {
  const answer = await fetch(location, { redirect: "manual" });
  await answer.body?.cancel();
  return new URL(answer.headers.get("location") ?? "").search;
}

function finish(
  { operators }: Target,
  { query, browser }: { readonly query: string; readonly browser: string | undefined },
): Promise<string> {
  return thrownBy(() => operators.oidc?.finish(query, { browser, source: "10.0.0.9" }));
}

/** Signs in at a provider that does something wrong. */
async function withWrongs(target: Target, wrongs: Wrongs): Promise<string> {
  target.provider.wrongs = wrongs;
  const started = await begin(target);
  return await finish(target, { query: await queryOf(started), browser: started.browser });
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const REFUSED = "AUTH_REQUIRED";

const TOKENS: readonly (readonly [string, () => Wrongs])[] = [
  ["an ID token with another nonce", () => ({ claims: { nonce: "another" } })],
  ["an ID token without a nonce", () => ({ claims: { nonce: undefined } })],
  ["an ID token of another issuer", () => ({ claims: { iss: "https://evil.example" } })],
  ["an ID token for another client", () => ({ claims: { aud: "other" } })],
  ["an ID token that has expired", () => ({ claims: { exp: seconds() - 600 } })],
  ["an ID token of a time to come", () => ({ claims: { nbf: seconds() + 3600 } })],
  ["an ID token without a subject", () => ({ claims: { sub: undefined } })],
  ["an ID token of a person without an account", () => ({ claims: { sub: "subject-9" } })],
  ["an ID token with alg none", () => ({ signature: "none" })],
  ["an ID token signed by a key that is not published", () => ({ signature: "other" })],
  ["an answer with another state", () => ({ query: { state: "another" } })],
  ["an answer in another provider's name", () => ({ query: { iss: "https://evil.example" } })],
  ["a code that the provider does not know", () => ({ query: { code: "guess" } })],
  ["an answer that is an error", () => ({ query: { error: "access_denied" } })],
];

const ROWS: readonly Attack<Target>[] = [
  ...TOKENS.map(([tries, wrongs]) => ({
    tries,
    refused: REFUSED,
    attempt: (target: Target) => withWrongs(target, wrongs()),
  })),
  {
    tries: "the attacker's answer is put into the victim's browser",
    refused: REFUSED,
    attempt: async (target) => {
      const [attacker, victim] = [await begin(target), await begin(target)];
      return await finish(target, { query: await queryOf(attacker), browser: victim.browser });
    },
  },
  {
    tries: "an answer is used a second time",
    refused: "nothing, then AUTH_REQUIRED",
    attempt: async (target) => {
      const started = await begin(target);
      const answer = { query: await queryOf(started), browser: started.browser };
      return `${await finish(target, answer)}, then ${await finish(target, answer)}`;
    },
  },
  {
    tries: "a code is taken from one way and put into another",
    refused: REFUSED,
    attempt: async (target) => {
      const [one, two] = [await begin(target), await begin(target)];
      const code = new URLSearchParams(await queryOf(one)).get("code") ?? "";
      const query = new URLSearchParams(await queryOf(two));
      query.set("code", code);
      return await finish(target, { query: `?${query}`, browser: two.browser });
    },
  },
  {
    tries: "a query of 9,000 characters",
    refused: REFUSED,
    attempt: async (target) => {
      const started = await begin(target);
      const query = `${await queryOf(started)}&x=${"x".repeat(9000)}`;
      return await finish(target, { query, browser: started.browser });
    },
  },
];

attackTable({ subject: "OpenID", against: onProvider }, ROWS);
