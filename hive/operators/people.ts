import type { AuditTrail } from "../../common/audit/mod.ts";
import * as z from "zod";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import type { Account } from "./account.ts";
import type { Accounts, NewAccount } from "./accounts.ts";
import type { ApiTokens } from "./api_tokens.ts";
import type { ApprovalAct } from "./approvals.ts";
import { checkPassword, type PasswordHasher } from "./password.ts";
import { personOf, type Principal } from "./principal.ts";
import { recorded } from "./recorded.ts";
import { newRecoveryCodes } from "./recovery.ts";
import { type Role, ROLES } from "./role.ts";
import { SecretsHeld } from "./secrets_held.ts";
import type { Sessions } from "./sessions.ts";
import { type NewTotp, newTotp, totpStep } from "./totp.ts";

/** How long an authenticator app's secret waits for its first code, in milliseconds. */
export const SETUP_MS = 10 * 60_000;
/** Most that wait at a time. */
export const SETUPS_MAX = 256;

/** What people's accounts are changed with. */
export interface PeopleOptions {
  readonly accounts: Accounts;
  readonly tokens: ApiTokens;
  readonly sessions: Sessions;
  readonly hasher: PasswordHasher;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** An authenticator app that waits for its first code. */
export interface TotpSetup extends NewTotp {
  /** Names it. */
  readonly setup: string;
}

const roleChange = z.object({ account: z.uuid(), role: z.enum(ROLES) });

/**
 * The act that gives an account another role, for when it takes two people.
 *
 * @param people Changes it.
 * @param accounts Where it is.
 */
export function roleAct(people: People, accounts: Accounts): ApprovalAct {
  return {
    action: "user.role",
    needs: ["change", "users"],
    isRepeatable: true,
    standing: async (payload) => {
      const { role, disabled } = await accounts.known(roleChange.parse(payload).account);
      return `${role} ${disabled ? "disabled" : "active"}`;
    },
    run: async (payload, [person]) => {
      const { account, role } = roleChange.parse(payload);
      // Who asked; the log has the others beside it.
      const principal: Principal = person === undefined
        ? { kind: "token" }
        : { kind: "session", person, role: "admin", isFresh: false };
      await people.setRole(principal, await accounts.known(account), { role });
    },
  };
}

/** Changes of accounts, each recorded first. */
export class People {
  readonly #options: PeopleOptions;
  readonly #setups: SecretsHeld<{ readonly account: string; readonly secret: string }>;

  /** Settled once what was last asked for that may link an account is done. */
  #lastLinked: Promise<unknown> = Promise.resolve();

  /** @param options What it works with. */
  constructor(options: PeopleOptions) {
    this.#options = options;
    const { clock } = options;
    this.#setups = new SecretsHeld({ countMax: SETUPS_MAX, lifetimeMs: SETUP_MS, clock });
  }

  /**
   * Adds an account.
   *
   * @param principal Who does.
   * @param account What it begins with.
   * @throws {ImmuneError} `INPUT_MALFORMED` when another has its name or subject.
   */
  add(principal: Principal, account: NewAccount): Promise<Account> {
    const { name: object, role, oidcSubject: subject } = account;
    const detail = { role, ...(subject !== undefined && { subject }) };
    return this.#inTurn(() =>
      this.#recorded({ principal, action: "user.add", object, detail }, async () => {
        if (subject !== undefined) await this.#checkOidcSubject(subject);
        return await this.#options.accounts.add(account);
      })
    );
  }

  /**
   * Changes what an account may.
   *
   * @param principal Who does.
   * @param account Which one.
   * @param options Its new role.
   */
  setRole(
    principal: Principal,
    account: Account,
    options: { readonly role: Role },
  ): Promise<Account> {
    const { role } = options;
    const detail = { from: account.role, to: role };
    return this.#change(account, { principal, action: "user.role", detail }, (now) => ({
      ...now,
      role,
    }));
  }

  /**
   * Shuts an account, whose sessions end and whose tokens stop to hold, or opens it again.
   *
   * @param principal Who does.
   * @param account Which one.
   * @param options Whether it is shut.
   */
  async setDisabled(
    principal: Principal,
    account: Account,
    options: { readonly disabled: boolean },
  ): Promise<Account> {
    const { disabled } = options;
    const action = disabled ? "user.disable" : "user.enable";
    const changed = await this.#change(account, { principal, action }, (now) => ({
      ...now,
      disabled,
    }));
    if (disabled) this.#options.sessions.endOf(account.id);
    return changed;
  }

  /**
   * Says whom the OpenID provider means by an account.
   *
   * @param principal Who does.
   * @param account Which one.
   * @param options Subject at the provider; null = none.
   * @throws {ImmuneError} `INPUT_MALFORMED` when another has it.
   */
  setOidcSubject(
    principal: Principal,
    account: Account,
    options: { readonly subject: string | null },
  ): Promise<Account> {
    const { subject: oidcSubject } = options;
    const act = { principal, action: "user.oidc", detail: { subject: oidcSubject } };
    return this.#inTurn(async () => {
      if (oidcSubject !== null) await this.#checkOidcSubject(oidcSubject);
      return await this.#change(account, act, (now) => ({ ...now, oidcSubject }));
    });
  }

  /**
   * Takes away all that an account signs in with, and ends its sessions and tokens.
   *
   * @param principal Who does.
   * @param account Which one.
   */
  async reset(principal: Principal, account: Account): Promise<Account> {
    const changed = await this.#change(account, { principal, action: "user.reset" }, (now) => ({
      ...now,
      password: null,
      totp: null,
      recovery: [],
      passkeys: [],
    }));
    this.#options.sessions.endOf(account.id);
    const { tokens } = this.#options;
    for (const { id } of await tokens.list(account.id)) await tokens.revoke(id);
    return changed;
  }

  /**
   * Gives the own account another password. Its other sessions end.
   *
   * @param principal A person in a browser.
   * @param change The password until now, where there is one; the new one; the session that stays.
   * @throws {ImmuneError} `FORBIDDEN`, `INPUT_MALFORMED`.
   */
  async setPassword(
    principal: Principal,
    change: { readonly current: string; readonly password: string; readonly session?: string },
  ): Promise<void> {
    const { hasher, sessions } = this.#options;
    const account = await this.own(principal);
    if (account.password !== null && !await hasher.verify(change.current, account.password)) {
      throw new ImmuneError("FORBIDDEN", "Cannot change the password: the present one is wrong");
    }
    checkPassword(change.password, account.name);
    const password = await hasher.hash(change.password);
    const act = { principal, action: "account.password" };
    await this.#change(account, act, (now) => ({ ...now, password }));
    sessions.endOf(account.id, change.session === undefined ? {} : { but: change.session });
  }

  /**
   * Begins to set up an authenticator app.
   *
   * @param principal A person in a browser.
   */
  async startTotp(principal: Principal): Promise<TotpSetup> {
    const { id, name } = await this.own(principal);
    const made = newTotp(name);
    return { ...made, setup: this.#setups.add({ account: id, secret: made.secret }) };
  }

  /**
   * Takes the first code of an authenticator app, which then is asked for at each sign-in.
   *
   * @param principal A person in a browser.
   * @param answer Which set-up, and the code.
   * @returns Recovery codes, shown once; those before no longer hold.
   * @throws {ImmuneError} `FORBIDDEN` when the code does not hold: begin anew.
   */
  async confirmTotp(
    principal: Principal,
    answer: { readonly setup: string; readonly code: string },
  ): Promise<readonly string[]> {
    const account = await this.own(principal);
    const setup = this.#setups.take(answer.setup)?.value;
    const nowMs = this.#options.clock.nowMs();
    const code = answer.code.trim();
    const step = setup?.account === account.id
      ? totpStep(code, setup.secret, { nowMs, lastStep: 0 })
      : undefined;
    if (setup === undefined || step === undefined) {
      const message = "Cannot set up the app: its code does not hold; begin anew, check the clock";
      throw new ImmuneError("FORBIDDEN", message);
    }
    const totp = { secret: setup.secret, lastStep: step };
    const { codes, hashes: recovery } = newRecoveryCodes();
    const act = { principal, action: "account.totp" };
    await this.#change(account, act, (now) => ({ ...now, totp, recovery }));
    return codes;
  }

  /**
   * Forgets the authenticator app, and its recovery codes.
   *
   * @param principal A person in a browser.
   */
  async removeTotp(principal: Principal): Promise<void> {
    const account = await this.own(principal);
    const act = { principal, action: "account.totp_removed" };
    await this.#change(account, act, (now) => ({ ...now, totp: null, recovery: [] }));
  }

  /**
   * Makes recovery codes anew.
   *
   * @param principal A person in a browser.
   * @returns The codes, shown once.
   */
  async renewRecovery(principal: Principal): Promise<readonly string[]> {
    const account = await this.own(principal);
    if (account.totp === null) {
      throw new ImmuneError("INPUT_MALFORMED", "Cannot make codes: set up an authenticator first");
    }
    const { codes, hashes: recovery } = newRecoveryCodes();
    const act = { principal, action: "account.recovery" };
    await this.#change(account, act, (now) => ({ ...now, recovery }));
    return codes;
  }

  /**
   * The account of whoever asks.
   *
   * @param principal A person.
   * @throws {ImmuneError} `FORBIDDEN` when no account stands behind it.
   */
  async own(principal: Principal): Promise<Account> {
    const person = personOf(principal);
    if (person === undefined) {
      const message = "The host's owner has no account here: make one, and sign in to it";
      throw new ImmuneError("FORBIDDEN", message);
    }
    return await this.#options.accounts.known(person.id);
  }

  async #checkOidcSubject(subject: string): Promise<void> {
    const all = await this.#options.accounts.list();
    if (all.some(({ oidcSubject }) => oidcSubject === subject)) {
      throw new ImmuneError("INPUT_MALFORMED", "Cannot link account: another has this subject");
    }
  }

  /** One after another: each sees what those before it have linked. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastLinked.then(work);
    this.#lastLinked = done.catch(() => undefined);
    return done;
  }

  async #change(
    account: Account,
    act: Omit<Parameters<typeof recorded>[1], "object">,
    change: (account: Account) => Account,
  ): Promise<Account> {
    return await this.#recorded(
      { ...act, object: account.name },
      async () => await this.#options.accounts.change(account.id, change) ?? account,
    );
  }

  #recorded<T>(act: Parameters<typeof recorded>[1], work: () => Promise<T>): Promise<T> {
    return recorded(this.#options.audit, act, work);
  }
}
