import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import type { Principal } from "./can.ts";
import { RateLimit } from "./rate_limit.ts";
import { hashSecret, isSameHash, SECRET_CHARACTERS } from "./secret.ts";
import { SecretsHeld } from "./secrets_held.ts";

/** How long a login link can be used, in milliseconds. */
export const LOGIN_LINK_MS = 10 * 60_000;
/** Most login links at a time. */
export const LOGIN_LINKS_MAX = 16;
/** How long a session holds, in milliseconds. */
export const SESSION_MS = 12 * 60 * 60_000;
/** Most sessions at a time. */
export const SESSIONS_MAX = 64;
/** Failed logins from one address within a window, after which it has to wait. */
export const LOGIN_FAILURES_MAX = 10;
/** Window of failed logins, in milliseconds. */
export const LOGIN_WINDOW_MS = 60_000;
/** Addresses whose failed logins are counted at a time. */
export const LOGIN_SOURCES_MAX = 1024;

/** Options of {@linkcode Operators}. */
export interface OperatorsOptions {
  /** SHA-256 of the API token, 64 hexadecimal digits. */
  readonly tokenHash: string;
  /** Default: the host's clock. */
  readonly clock?: Clock;
}

/** What a request brings along to say who sends it. */
export interface Credentials {
  /** Header `Authorization`. */
  readonly authorization: string | undefined;
  /** The session cookie. */
  readonly session: string | undefined;
}

/** Who may use a hive: the API token, login links and sessions. */
export class Operators {
  readonly #tokenHash: string;
  readonly #links: SecretsHeld;
  readonly #sessions: SecretsHeld;
  readonly #limit: RateLimit;

  /** @param options Token and clock. */
  constructor(options: OperatorsOptions) {
    const clock = options.clock ?? SYSTEM_CLOCK;
    this.#tokenHash = options.tokenHash;
    this.#links = new SecretsHeld({ countMax: LOGIN_LINKS_MAX, lifetimeMs: LOGIN_LINK_MS, clock });
    this.#sessions = new SecretsHeld({ countMax: SESSIONS_MAX, lifetimeMs: SESSION_MS, clock });
    this.#limit = new RateLimit({
      failuresMax: LOGIN_FAILURES_MAX,
      windowMs: LOGIN_WINDOW_MS,
      sourcesMax: LOGIN_SOURCES_MAX,
      clock,
    });
  }

  /**
   * Who sends a request.
   *
   * @param credentials What it brings along.
   * @returns The principal; anonymous when it brings nothing.
   * @throws {ImmuneError} `AUTH_REQUIRED` when it brings a token that is not ours.
   */
  principal(credentials: Credentials): Principal {
    const { authorization, session } = credentials;
    if (authorization !== undefined) {
      const token = /^Bearer +([\w-]+) *$/i.exec(authorization)?.[1];
      if (token !== undefined && this.#isToken(token)) return { kind: "token" };
      throw new ImmuneError(
        "AUTH_REQUIRED",
        'The API token is not valid: send "Authorization: Bearer" with the text of operator.token',
      );
    }
    return session !== undefined && this.#sessions.has(session)
      ? { kind: "session" }
      : { kind: "anonymous" };
  }

  /**
   * Makes the code of a one-time login link.
   *
   * @returns The code, good for {@linkcode LOGIN_LINK_MS}.
   */
  addLoginCode(): string {
    return this.#links.add();
  }

  /**
   * Signs a person in.
   *
   * @param code Code of a login link, which is used up, or the API token.
   * @param source Address of the person's browser.
   * @returns The session: the value of its cookie.
   * @throws {ImmuneError} `AUTH_REQUIRED` for a code that does not hold, `RATE_LIMITED` after too
   * many of them.
   */
  signIn(code: string, source: string): string {
    const waitMs = this.#limit.waitMs(source);
    if (waitMs > 0) {
      throw new ImmuneError(
        "RATE_LIMITED",
        `Cannot sign in: too many failures; try again in ${Math.ceil(waitMs / 1000)} seconds`,
      );
    }
    const holds = code.length === SECRET_CHARACTERS &&
      (this.#links.take(code) || this.#isToken(code));
    if (!holds) {
      this.#limit.fail(source);
      throw new ImmuneError(
        "AUTH_REQUIRED",
        "Cannot sign in: the code is wrong, used or expired; ask for a new login link",
      );
    }
    return this.#sessions.add();
  }

  /**
   * Ends a session.
   *
   * @param session Value of its cookie.
   */
  signOut(session: string): void {
    this.#sessions.take(session);
  }

  #isToken(token: string): boolean {
    return isSameHash(hashSecret(token), this.#tokenHash);
  }
}
