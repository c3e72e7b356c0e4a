import { assertEquals } from "@std/assert";
import { CHALLENGE_MS, type Operators, type Principal } from "../../hive/operators/mod.ts";
import { OWNER, withOperators } from "../../hive/operators/_test_support.ts";
import type { FakeClock } from "../../common/config/clock.ts";
import { type Forged, TestAuthenticator } from "../support/authenticator.ts";
import { type Attack, attackTable, thrownBy } from "./table.ts";

const SITE = { origin: "https://hive.example", host: "hive.example" };
const REFUSED = "AUTH_REQUIRED";

interface Target {
  readonly operators: Operators;
  readonly clock: FakeClock;
  readonly ada: Principal;
  readonly eve: Principal;
  /** Has a passkey of ada. */
  readonly authenticator: TestAuthenticator;
}

/** A hive where ada has a passkey, and eve has none. */
async function onPasskey(attack: (target: Target) => Promise<void>): Promise<void> {
  await withOperators(async ({ operators, clock }) => {
    const person = async (name: string): Promise<Principal & { person: { id: string } }> => {
      const { id } = await operators.people.add(OWNER, { name, role: "admin" });
      return { kind: "session", person: { id, name }, role: "admin", isFresh: true };
    };
    const [ada, eve] = [await person("ada"), await person("eve")];
    const authenticator = new TestAuthenticator(SITE, ada.person.id);
    const challenge = await toAdd(operators, ada);
    const response = authenticator.create(challenge);
    await operators.passkeys.add(ada, { response, site: SITE, name: "laptop" });
    assertEquals((await operators.people.own(ada)).passkeys.length, 1);
    await attack({ operators, clock, ada, eve, authenticator });
  });
}

function challengeOf(options: unknown): string {
  return (options as { readonly challenge: string }).challenge;
}

async function toAdd(operators: Operators, principal: Principal): Promise<string> {
  return challengeOf(await operators.passkeys.beginAdding(principal, SITE));
}

async function toSignIn(operators: Operators): Promise<string> {
  return challengeOf(await operators.passkeys.beginSignIn(SITE));
}

function answer(
  { operators }: Target,
  response: ReturnType<TestAuthenticator["get"]>,
  site = SITE,
): Promise<string> {
  return thrownBy(() => operators.passkeys.signIn(response, { site, source: "10.0.0.9" }));
}

/** Answers a fresh challenge, with something wrong. */
async function forged(target: Target, wrong: Forged): Promise<string> {
  const challenge = await toSignIn(target.operators);
  return await answer(target, target.authenticator.get(challenge, wrong));
}

function add({ operators }: Target, principal: Principal, options: {
  readonly response: ReturnType<TestAuthenticator["create"]>;
}): Promise<string> {
  const made = { ...options, site: SITE, name: "x" };
  return thrownBy(() => operators.passkeys.add(principal, made));
}

const WRONG: readonly (readonly [string, Forged])[] = [
  ["an answer that a page of elsewhere asked for", { origin: "https://evil.example" }],
  ["an answer from plain HTTP", { origin: "http://hive.example" }],
  ["an answer from another port", { origin: "https://hive.example:8443" }],
  ["an answer for another host", { rpId: "evil.example" }],
  ["an answer to a challenge that was never put", { challenge: "A".repeat(43) }],
  ["an answer that makes a passkey, as one that signs in", { type: "webauthn.create" }],
  ["a person who was not verified", { isVerified: false }],
  ["a signature with a bit turned", { signature: (bytes) => bytes.with(20, (bytes[20] ?? 0) ^ 1) }],
  ["a signature that is none", { signature: () => new Uint8Array(0) }],
  ["a passkey in the name of an account that is not there", { userHandle: crypto.randomUUID() }],
];

const ROWS: readonly Attack<Target>[] = [
  ...WRONG.map(([tries, wrong]) => ({
    tries,
    refused: REFUSED,
    attempt: (target: Target) => forged(target, wrong),
  })),
  {
    tries: "an answer is used a second time",
    refused: "nothing, then AUTH_REQUIRED",
    attempt: async (target) => {
      const response = target.authenticator.get(await toSignIn(target.operators));
      return `${await answer(target, response)}, then ${await answer(target, response)}`;
    },
  },
  {
    tries: "an answer that comes late",
    refused: REFUSED,
    attempt: async (target) => {
      const challenge = await toSignIn(target.operators);
      target.clock.advance(CHALLENGE_MS);
      return await answer(target, target.authenticator.get(challenge));
    },
  },
  {
    tries: "a copy of the passkey, whose counter stands still",
    refused: "nothing, then AUTH_REQUIRED",
    attempt: async (target) =>
      `${await forged(target, { counter: 40 })}, then ${await forged(target, { counter: 40 })}`,
  },
  {
    tries: "a copy of the passkey, whose counter goes back",
    refused: "nothing, then AUTH_REQUIRED",
    attempt: async (target) =>
      `${await forged(target, { counter: 40 })}, then ${await forged(target, { counter: 3 })}`,
  },
  {
    tries: "a passkey of one host at another name of the hive",
    refused: REFUSED,
    attempt: async (target) => {
      const challenge = await toSignIn(target.operators);
      const site = { origin: "https://other.example", host: "other.example" };
      const response = target.authenticator.get(challenge, {
        rpId: site.host,
        origin: site.origin,
      });
      return await answer(target, response, site);
    },
  },
  {
    tries: "ada's passkey in the name of eve",
    refused: REFUSED,
    attempt: async (target) => {
      const { id } = await target.operators.people.own(target.eve);
      return await forged(target, { userHandle: id });
    },
  },
  {
    tries: "the passkey of an account that was shut",
    refused: REFUSED,
    attempt: async (target) => {
      const account = await target.operators.people.own(target.ada);
      await target.operators.people.setDisabled(OWNER, account, { disabled: true });
      return await forged(target, {});
    },
  },
  {
    tries: "a challenge for signing in, to add a passkey",
    refused: "FORBIDDEN",
    attempt: async (target) => {
      const challenge = await toSignIn(target.operators);
      const other = new TestAuthenticator(SITE, "x");
      return await add(target, target.ada, { response: other.create(challenge) });
    },
  },
  {
    tries: "eve's challenge, to add a passkey to ada's account",
    refused: "FORBIDDEN",
    attempt: async (target) => {
      const challenge = await toAdd(target.operators, target.eve);
      const other = new TestAuthenticator(SITE, "x");
      return await add(target, target.ada, { response: other.create(challenge) });
    },
  },
  {
    tries: "a passkey that a page of elsewhere made is added",
    refused: "FORBIDDEN",
    attempt: async (target) => {
      const challenge = await toAdd(target.operators, target.ada);
      const other = new TestAuthenticator(SITE, "x");
      const response = other.create(challenge, { origin: "https://evil.example" });
      return await add(target, target.ada, { response });
    },
  },
];

attackTable({ subject: "passkeys", against: onPasskey }, ROWS);
