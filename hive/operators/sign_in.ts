import type { AuditTrail } from "../../common/audit/mod.ts";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import type { Account } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import { Lockout } from "./lockout.ts";
import { PASSWORD_CHARACTERS_MAX, type PasswordHasher } from "./password.ts";
import { RateLimit } from "./rate_limit.ts";
import { RefusalTrail } from "./recorded.ts";
import { recoveryHash } from "./recovery.ts";
import type { Sessions } from "./sessions.ts";
import { totpStep } from "./totp.ts";

/** Failed logins from one address within a window, after which it has to wait. */
export const LOGIN_FAILURES_MAX = 10;
/** Window of failed logins, in milliseconds. */
export const LOGIN_WINDOW_MS = 60_000;
/** Addresses whose failed logins are counted at a time. */
export const LOGIN_SOURCES_MAX = 1024;

/** What signing in works with. */
export interface SignInOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly hasher: PasswordHasher;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** What a person types. */
export interface PasswordLogin {
  readonly name: string;
  readonly password: string;
  /** Code of the authenticator app, or a recovery code; empty where there is no app. */
  readonly code: string;
}

/** Way in, as the audit log names it. */
export type LoginMethod = "link" | "operator_token" | "password" | "passkey" | "oidc";

/** Signs people in, and slows down whoever guesses. */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #sources: RateLimit;
  readonly #lockout: Lockout;
  readonly #refusals: RefusalTrail;

  /** @param options What it works with. */
  constructor(options: SignInOptions) {
    const { clock, audit } = options;
    this.#options = options;
    this.#lockout = new Lockout(clock);
    this.#refusals = new RefusalTrail(audit, clock);
    this.#sources = new RateLimit({
      failuresMax: LOGIN_FAILURES_MAX,
      windowMs: LOGIN_WINDOW_MS,
      sourcesMax: LOGIN_SOURCES_MAX,
      clock,
    });
  }

  /**
   * Signs in by name and password, and by a code where the account has an authenticator app. Every
   * failure says the same, and takes as long.
   *
   * @param login What the person typed.
   * @param source Address of the browser.
   * @returns The new session's secret.
   * @throws {ImmuneError} `AUTH_REQUIRED`, `RATE_LIMITED`.
   */
  async byPassword(login: PasswordLogin, source: string): Promise<string> {
    const name = login.name.slice(0, 64);
    this.checkSource(source);
    const { accounts, hasher } = this.#options;
    const account = await accounts.named(name);
    // Counted before it is known to fail: guesses at the same time do not get more of them.
    tooOften(this.#lockout.waitMs(name));
    this.#lockout.fail(name, { isKnown: account !== undefined });
    const isFit = login.password.length <= 2 * PASSWORD_CHARACTERS_MAX;
    const isRight = await hasher.verify(
      isFit ? login.password : "",
      account?.password ?? undefined,
    );
    const holds = account !== undefined && isRight && !account.disabled &&
      await this.#takeCode(account, login.code);
    if (!holds) return await this.refuse({ method: "password", source, name });
    return await this.enter(account, { method: "password", source });
  }

  /**
   * Refuses an address that failed too often.
   *
   * @param source Address of the browser.
   * @throws {ImmuneError} `RATE_LIMITED`.
   */
  checkSource(source: string): void {
    tooOften(this.#sources.waitMs(source));
  }

  /**
   * Starts a session of an account; of the host's owner without one.
   *
   * @param account Whose.
   * @param options How the person came in, and from where.
   * @returns The new session's secret.
   * @throws {ImmuneError} `AUDIT_UNWRITABLE`: then there is no session.
   */
  async enter(
    account: Account | undefined,
    { method, source }: { readonly method: LoginMethod; readonly source: string },
  ): Promise<string> {
    const { audit, accounts, sessions, clock } = this.#options;
    const actor = account === undefined
      ? { kind: "person", id: "host", name: "owner of the host" } as const
      : { kind: "person", id: account.id, name: account.name } as const;
    const detail = { method, source };
    await audit.append({ actor, action: "session.start", decision: "allowed", detail });
    if (account !== undefined) {
      this.#lockout.clear(account.name);
      const signedInAt = new Date(clock.nowMs()).toISOString();
      await accounts.change(account.id, (now) => ({ ...now, signedInAt }));
    }
    return sessions.start(account?.id);
  }

  /**
   * Counts and records a failure.
   *
   * @param failure What was tried, from where, in whose name.
   * @throws {ImmuneError} `AUTH_REQUIRED`, always.
   */
  async refuse(
    failure: { readonly method: LoginMethod; readonly source: string; readonly name?: string },
  ): Promise<never> {
    const { method, source, name } = failure;
    this.#sources.fail(source);
    await this.#refusals.record({
      actor: { kind: "anonymous", id: source },
      action: "session.start",
      ...(name === undefined ? {} : { object: name }),
      detail: { method },
    });
    throw new ImmuneError("AUTH_REQUIRED", `Cannot sign in: ${WHY[method]}`);
  }

  /** Takes a code, which then is used up; true too where the account asks for none. */
  async #takeCode(account: Account, code: string): Promise<boolean> {
    if (account.totp === null) return true;
    const text = code.trim();
    const hash = recoveryHash(text);
    const nowMs = this.#options.clock.nowMs();
    const changed = await this.#options.accounts.change(account.id, (now) => {
      if (now.totp === null) return undefined;
      const step = totpStep(text, now.totp.secret, { nowMs, lastStep: now.totp.lastStep });
      if (step !== undefined) return { ...now, totp: { ...now.totp, lastStep: step } };
      if (!now.recovery.includes(hash)) return undefined;
      return { ...now, recovery: now.recovery.filter((each) => each !== hash) };
    });
    return changed !== undefined;
  }
}

const WHY: Readonly<Record<LoginMethod, string>> = {
  link: "the code is wrong, used or expired; ask for a new login link",
  operator_token: "the code is wrong, used or expired; ask for a new login link",
  password: "name, password or code is wrong",
  passkey: "this passkey is not known here, or its answer does not hold",
  oidc: "the provider's answer does not hold, or its person has no account here",
};

function tooOften(waitMs: number): void {
  if (waitMs <= 0) return;
  const message = `Cannot sign in: too many failures; try again in ${
    Math.ceil(waitMs / 1000)
  } seconds`;
  throw new ImmuneError("RATE_LIMITED", message);
}
