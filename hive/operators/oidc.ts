import * as client from "openid-client";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { isLoopback } from "../address.ts";
import type { Accounts } from "./accounts.ts";
import { hashSecret, isSameHash, newSecret } from "./secret.ts";
import { SecretsHeld } from "./secrets_held.ts";
import type { SignIn } from "./sign_in.ts";

/** How long a person may take at the provider, in milliseconds. */
export const OIDC_FLOW_MS = 10 * 60_000;
/** Most people on their way at a time. */
export const OIDC_FLOWS_MAX = 256;
/** Longest wait for the provider, in seconds. */
export const OIDC_TIMEOUT_S = 10;
/** Most characters of a query that the provider sends a browser back with. */
export const OIDC_QUERY_MAX = 8192;

/** An OpenID provider as the configuration names it. */
export interface OidcProvider {
  /** Its issuer; `https:`, or `http:` on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  /** Default: none, a public client. */
  readonly clientSecret?: string;
}

/** What signing in by a provider works with. */
export interface OidcOptions {
  readonly provider: OidcProvider;
  readonly accounts: Accounts;
  readonly signIns: SignIn;
  readonly clock: Clock;
}

interface Flow {
  readonly nonce: string;
  readonly verifier: string;
  /** Hash of the cookie that the browser was given: nobody else's answer is taken. */
  readonly browserHash: string;
  readonly redirectUri: string;
}

/** Where to send a browser, and the cookie by which it is known when it comes back. */
export interface OidcStart {
  readonly location: string;
  readonly browser: string;
}

/**
 * Signing in by an OpenID provider: authorization code with PKCE (OpenID Connect Core 1.0, RFC
 * 7636, RFC 9700). Who somebody is here is decided by the subject alone, never by a mail address.
 */
export class Oidc {
  readonly #options: OidcOptions;
  readonly #flows: SecretsHeld<Flow>;
  #configuration: Promise<client.Configuration> | undefined;

  /**
   * @param options Provider, accounts.
   * @throws {ImmuneError} `CONFIG_INVALID` for an issuer that may not be.
   */
  constructor(options: OidcOptions) {
    this.#options = options;
    checkIssuer(options.provider.issuer);
    const { clock } = options;
    const [countMax, lifetimeMs] = [OIDC_FLOWS_MAX, OIDC_FLOW_MS];
    this.#flows = new SecretsHeld({ countMax, lifetimeMs, clock });
  }

  /**
   * Begins to sign in.
   *
   * @param redirectUri Where the provider sends the browser back to.
   * @throws {ImmuneError} `AUTH_REQUIRED` when the provider does not answer.
   */
  async begin(redirectUri: string): Promise<OidcStart> {
    const configuration = await this.#discovered();
    const verifier = client.randomPKCECodeVerifier();
    const [nonce, browser] = [client.randomNonce(), newSecret()];
    const state = this.#flows.add({
      nonce,
      verifier,
      browserHash: hashSecret(browser),
      redirectUri,
    });
    const location = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: "openid",
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { location: location.href, browser };
  }

  /**
   * Takes a browser that comes back.
   *
   * @param query What the provider sent it with, with the question mark.
   * @param from The cookie that it was given, and its address.
   * @returns The new session's secret.
   * @throws {ImmuneError} `AUTH_REQUIRED`, `RATE_LIMITED`.
   */
  async finish(
    query: string,
    from: { readonly browser: string | undefined; readonly source: string },
  ): Promise<string> {
    const { signIns, accounts } = this.#options;
    const { source, browser = "" } = from;
    signIns.checkSource(source);
    const state = new URLSearchParams(query).get("state") ?? "";
    const flow = query.length <= OIDC_QUERY_MAX ? this.#flows.take(state)?.value : undefined;
    const isSameBrowser = flow !== undefined && isSameHash(hashSecret(browser), flow.browserHash);
    const subject = isSameBrowser ? await this.#subject(query, { flow, state }) : undefined;
    const account = subject === undefined
      ? undefined
      : (await accounts.list()).find(({ oidcSubject }) => oidcSubject === subject);
    if (account === undefined || account.disabled) {
      return await signIns.refuse({ method: "oidc", source, ...(subject && { name: subject }) });
    }
    return await signIns.enter(account, { method: "oidc", source });
  }

  /** Whom the provider means; `undefined` when any part of its answer does not hold. */
  async #subject(
    query: string,
    { flow, state }: { readonly flow: Flow; readonly state: string },
  ): Promise<string | undefined> {
    const configuration = await this.#discovered();
    try {
      const tokens = await client.authorizationCodeGrant(
        configuration,
        new URL(query, flow.redirectUri),
        {
          pkceCodeVerifier: flow.verifier,
          expectedState: state,
          expectedNonce: flow.nonce,
          idTokenExpected: true,
        },
      );
      return tokens.claims()?.sub;
    } catch {
      return undefined;
    }
  }

  #discovered(): Promise<client.Configuration> {
    this.#configuration ??= this.#discover().catch((cause) => {
      this.#configuration = undefined;
      throw new ImmuneError(
        "AUTH_REQUIRED",
        `Cannot sign in: the OpenID provider "${this.#options.provider.issuer}" does not answer ` +
          "as one; use another way in",
        { cause },
      );
    });
    return this.#configuration;
  }

  #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options.provider;
    const url = new URL(issuer);
    const auth = clientSecret === undefined
      ? client.None()
      : client.ClientSecretBasic(clientSecret);
    return client.discovery(url, clientId, {}, auth, {
      timeout: OIDC_TIMEOUT_S,
      execute: [
        // The signature of an ID token counts, not only the connection that it came by.
        client.enableNonRepudiationChecks,
        ...(url.protocol === "http:" ? [client.allowInsecureRequests] : []),
      ],
    });
  }
}

function checkIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  if (url?.protocol === "https:") return;
  if (url?.protocol === "http:" && isLoopback(url.hostname)) return;
  throw new ImmuneError(
    "CONFIG_INVALID",
    `Cannot use OpenID issuer "${issuer}": it has to start with https://, or be on loopback`,
  );
}
