import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import * as z from "zod";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import type { AuditTrail } from "../../common/audit/mod.ts";
import { type Account, type Passkey, PASSKEYS_MAX } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import type { People } from "./people.ts";
import type { Principal } from "./principal.ts";
import { recorded } from "./recorded.ts";
import { SecretsHeld } from "./secrets_held.ts";
import type { SignIn } from "./sign_in.ts";

/** How long a challenge can be answered, in milliseconds. */
export const CHALLENGE_MS = 5 * 60_000;
/** Most challenges that wait for an answer. */
export const CHALLENGES_MAX = 1024;
/** Most characters of a passkey's name. */
export const PASSKEY_NAME_MAX = 64;

/** Where a browser is: a passkey belongs to one host, and answers to one page. */
export interface PasskeySite {
  /** Such as `https://hive.example`. */
  readonly origin: string;
  /** Its host without the port. */
  readonly host: string;
}

const base64url = z.string().regex(/^[\w-]+$/).max(8192);
const answer = {
  id: base64url,
  rawId: base64url,
  type: z.literal("public-key"),
  clientExtensionResults: z.object({}).default({}),
};

/** A browser's answer when it made a passkey (WebAuthn Level 3, 5.1.8). */
export const registrationSchema = z.object({
  ...answer,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(32)).max(8).default([]),
  }),
});

/** A browser's answer when it signed in by one. */
export const assertionSchema = z.object({
  ...answer,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url,
  }),
});

/** A map that starts with `"fmt": "none"` in CBOR: no attestation, and no certificates to judge. */
const NO_ATTESTATION = Uint8Array.from([0xa3, 0x63, ...bytesOf("fmt"), 0x64, ...bytesOf("none")]);

/** What passkeys work with. */
export interface PasskeysOptions {
  readonly accounts: Accounts;
  readonly people: People;
  readonly signIns: SignIn;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** Signing in by passkeys (WebAuthn): each challenge is answered once. */
export class Passkeys {
  readonly #options: PasskeysOptions;
  /** By challenge, for whom: an account that gets another passkey, or nobody yet. */
  readonly #challenges: SecretsHeld<string | undefined>;

  /** @param options What they work with. */
  constructor(options: PasskeysOptions) {
    this.#options = options;
    const { clock } = options;
    const [countMax, lifetimeMs] = [CHALLENGES_MAX, CHALLENGE_MS];
    this.#challenges = new SecretsHeld({ countMax, lifetimeMs, clock });
  }

  /**
   * Begins to make a passkey.
   *
   * @param principal A person in a browser.
   * @param site Where the browser is.
   * @returns Options for `navigator.credentials.create`, as JSON.
   */
  async beginAdding(principal: Principal, site: PasskeySite): Promise<unknown> {
    const account = await this.#options.people.own(principal);
    const options = await generateRegistrationOptions({
      rpName: "Sentinel Immune",
      rpID: site.host,
      userName: account.name,
      userID: new TextEncoder().encode(account.id),
      attestationType: "none",
      excludeCredentials: account.passkeys.map(({ id }) => ({ id })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      timeout: CHALLENGE_MS,
    });
    this.#challenges.keep(options.challenge, account.id);
    return options;
  }

  /**
   * Adds a passkey that a browser made.
   *
   * @param principal The same person.
   * @param made The browser's answer, where it is, and what the person calls it.
   * @throws {ImmuneError} `FORBIDDEN` for an answer that does not hold.
   */
  async add(
    principal: Principal,
    made: {
      readonly response: z.infer<typeof registrationSchema>;
      readonly site: PasskeySite;
      readonly name: string;
    },
  ): Promise<void> {
    const { people, accounts, audit, clock } = this.#options;
    const account = await people.own(principal);
    const { response, site } = made;
    const credential = hasNoAttestation(response.response.attestationObject)
      ? await verified(() =>
        verifyRegistrationResponse({
          response,
          expectedChallenge: (challenge) => this.#take(challenge, account.id),
          expectedOrigin: site.origin,
          expectedRPID: site.host,
          requireUserVerification: true,
        })
      )
      : undefined;
    const info = credential?.registrationInfo?.credential;
    if (info === undefined) throw new ImmuneError("FORBIDDEN", REFUSED);
    const passkey: Passkey = {
      id: info.id,
      publicKey: info.publicKey.toBase64({ alphabet: "base64url", omitPadding: true }),
      counter: info.counter,
      transports: response.response.transports,
      rpId: site.host,
      name: made.name.slice(0, PASSKEY_NAME_MAX),
      createdAt: new Date(clock.nowMs()).toISOString(),
    };
    const act = { principal, action: "account.passkey", object: account.name };
    await recorded(
      audit,
      { ...act, detail: { name: passkey.name } },
      () => accounts.change(account.id, (now) => withPasskey(now, passkey)),
    );
  }

  /**
   * Removes a passkey.
   *
   * @param principal A person in a browser.
   * @param id Of the passkey.
   */
  async remove(principal: Principal, id: string): Promise<void> {
    const { people, accounts, audit } = this.#options;
    const account = await people.own(principal);
    const act = { principal, action: "account.passkey_removed", object: account.name };
    await recorded(audit, act, () =>
      accounts.change(account.id, (now) => ({
        ...now,
        passkeys: now.passkeys.filter((passkey) => passkey.id !== id),
      })));
  }

  /**
   * Begins to sign in.
   *
   * @param site Where the browser is.
   * @returns Options for `navigator.credentials.get`, as JSON.
   */
  async beginSignIn(site: PasskeySite): Promise<unknown> {
    const options = await generateAuthenticationOptions({
      rpID: site.host,
      userVerification: "required",
      timeout: CHALLENGE_MS,
    });
    this.#challenges.keep(options.challenge, undefined);
    return options;
  }

  /**
   * Signs a person in.
   *
   * @param response The browser's answer.
   * @param from Where the browser is, and its address.
   * @returns The new session's secret.
   * @throws {ImmuneError} `AUTH_REQUIRED`, `RATE_LIMITED`.
   */
  async signIn(
    response: z.infer<typeof assertionSchema>,
    from: { readonly site: PasskeySite; readonly source: string },
  ): Promise<string> {
    const { signIns, accounts } = this.#options;
    const { site, source } = from;
    signIns.checkSource(source);
    const account = await accounts.get(textOf(response.response.userHandle));
    const passkey = account?.passkeys.find(({ id }) => id === response.id);
    const isFit = account !== undefined && !account.disabled && passkey?.rpId === site.host;
    if (!isFit || !await this.#takeCounter(account, passkey, { response, site })) {
      const name = account === undefined ? {} : { name: account.name };
      return await signIns.refuse({ method: "passkey", source, ...name });
    }
    return await signIns.enter(account, { method: "passkey", source });
  }

  /** Checks the answer, and keeps its counter: one that does not go up is a copied passkey. */
  async #takeCounter(
    account: Account,
    passkey: Passkey,
    { response, site }: {
      readonly response: z.infer<typeof assertionSchema>;
      readonly site: PasskeySite;
    },
  ): Promise<boolean> {
    const { id, publicKey, counter } = passkey;
    const key = Uint8Array.fromBase64(publicKey, { alphabet: "base64url" });
    const found = await verified(() =>
      verifyAuthenticationResponse({
        response,
        expectedChallenge: (challenge) => this.#take(challenge, undefined),
        expectedOrigin: site.origin,
        expectedRPID: site.host,
        credential: { id, publicKey: key, counter },
        requireUserVerification: true,
      })
    );
    if (found?.verified !== true) return false;
    const { newCounter } = found.authenticationInfo;
    const changed = await this.#options.accounts.change(account.id, (now) => {
      const kept = now.passkeys.find((each) => each.id === id);
      if (kept === undefined || (kept.counter > 0 && newCounter <= kept.counter)) return undefined;
      const passkeys = now.passkeys.map((each) =>
        each.id === id ? { ...each, counter: newCounter } : each
      );
      return { ...now, passkeys };
    });
    return changed !== undefined;
  }

  #take(challenge: string, account: string | undefined): boolean {
    const held = this.#challenges.take(challenge);
    return held !== undefined && held.value === account;
  }
}

const REFUSED = "Cannot add passkey: its answer does not hold; begin anew";

/** What the library finds; whatever it throws means that the answer does not hold. */
async function verified<T>(verify: () => Promise<T>): Promise<T | undefined> {
  try {
    return await verify();
  } catch {
    return undefined;
  }
}

function withPasskey(account: Account, passkey: Passkey): Account {
  if (account.passkeys.length >= PASSKEYS_MAX) {
    const message = `Cannot add passkey: there are ${PASSKEYS_MAX} already; remove one`;
    throw new ImmuneError("INPUT_MALFORMED", message);
  }
  if (account.passkeys.some(({ id }) => id === passkey.id)) {
    throw new ImmuneError("INPUT_MALFORMED", "Cannot add passkey: it is there already");
  }
  return { ...account, passkeys: [...account.passkeys, passkey] };
}

function hasNoAttestation(attestationObject: string): boolean {
  try {
    const bytes = Uint8Array.fromBase64(attestationObject, { alphabet: "base64url" });
    return NO_ATTESTATION.every((byte, i) => bytes[i] === byte);
  } catch {
    return false;
  }
}

function textOf(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(base64, { alphabet: "base64url" }));
  } catch {
    return "";
  }
}

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}
