import type { AuditTrail } from "../../common/audit/mod.ts";
import {
  type Clock,
  ImmuneError,
  SYSTEM_CLOCK,
  type TwoPersonAct,
} from "../../common/config/mod.ts";
import type { Account } from "./account.ts";
import { Accounts, type DocumentStore } from "./accounts.ts";
import { Approvals } from "./approvals.ts";
import { ApiTokens } from "./api_tokens.ts";
import { Oidc, type OidcProvider } from "./oidc.ts";
import { Passkeys } from "./passkeys.ts";
import { PasswordHasher } from "./password.ts";
import { People, roleAct } from "./people.ts";
import { actorOf, type Principal } from "./principal.ts";
import { RefusalTrail } from "./recorded.ts";
import { lesser } from "./role.ts";
import { hashSecret, isSameHash } from "./secret.ts";
import { SecretsHeld } from "./secrets_held.ts";
import { Sessions } from "./sessions.ts";
import { type PasswordLogin, SignIn } from "./sign_in.ts";

/** How long a login link can be used, in milliseconds. */
export const LOGIN_LINK_MS = 10 * 60_000;
/** Most login links at a time. */
export const LOGIN_LINKS_MAX = 16;
/** How long the first link of an account can be used, in milliseconds. */
export const INVITE_MS = 24 * 60 * 60_000;
/** Most such links at a time. */
export const INVITES_MAX = 256;
/** Longest credential that is looked at, in characters. */
const CREDENTIAL_CHARACTERS_MAX = 128;

/** Options of {@linkcode Operators}. */
export interface OperatorsOptions {
  /** SHA-256 of the operator token, 64 hexadecimal digits. */
  readonly tokenHash: string;
  /** Where accounts and API tokens are. */
  readonly store: DocumentStore;
  /** Where decisions are recorded. */
  readonly audit: AuditTrail;
  /** Acts that take two people, such as `user.role`. Default: none. */
  readonly twoPerson?: readonly TwoPersonAct[];
  /** Hashes passwords. Default: one with the usual cost. */
  readonly hasher?: PasswordHasher;
  /** Default: none; people sign in here. */
  readonly oidc?: OidcProvider;
  /** Default: the host's clock. */
  readonly clock?: Clock;
}

/** What a request brings along to say who sends it. */
export interface Credentials {
  /** Header `Authorization`. */
  readonly authorization: string | undefined;
  /** The session cookie. */
  readonly session: string | undefined;
  /** False for a page that only renews itself. Default: true. */
  readonly isActive?: boolean;
}

/** Who may use a hive: the operator token, people with accounts, their API tokens and sessions. */
export class Operators {
  readonly accounts: Accounts;
  readonly tokens: ApiTokens;
  readonly people: People;
  readonly sessions: Sessions;
  readonly signIns: SignIn;
  readonly approvals: Approvals;
  readonly passkeys: Passkeys;
  /** Absent where no provider is configured. */
  readonly oidc: Oidc | undefined;
  readonly #twoPerson: ReadonlySet<TwoPersonAct>;
  readonly #tokenHash: string;
  readonly #links: SecretsHeld<undefined>;
  readonly #invites: SecretsHeld<string>;
  readonly #refusals: RefusalTrail;

  /** @param options Token, store, audit log and clock. */
  constructor(options: OperatorsOptions) {
    const { store, audit, hasher = new PasswordHasher(), clock = SYSTEM_CLOCK } = options;
    this.#tokenHash = options.tokenHash;
    this.accounts = new Accounts(store, clock);
    this.tokens = new ApiTokens(store, clock);
    this.sessions = new Sessions(clock);
    const { accounts, tokens, sessions } = this;
    this.#links = new SecretsHeld({ countMax: LOGIN_LINKS_MAX, lifetimeMs: LOGIN_LINK_MS, clock });
    this.#invites = new SecretsHeld({ countMax: INVITES_MAX, lifetimeMs: INVITE_MS, clock });
    this.#refusals = new RefusalTrail(audit, clock);
    this.signIns = new SignIn({ accounts, sessions, hasher, audit, clock });
    this.people = new People({ accounts, tokens, sessions, hasher, audit, clock });
    const { people, signIns } = this;
    this.passkeys = new Passkeys({ accounts, people, signIns, audit, clock });
    this.oidc = options.oidc && new Oidc({ provider: options.oidc, accounts, signIns, clock });
    this.approvals = new Approvals({ store, accounts, audit, clock });
    this.#twoPerson = new Set(options.twoPerson ?? []);
    this.approvals.register(roleAct(this.people, accounts));
  }

  /**
   * Whether an act takes two people on this hive.
   *
   * @param action Words with dots, such as `user.role`.
   */
  takesTwo(action: TwoPersonAct): boolean {
    return this.#twoPerson.has(action);
  }

  /**
   * Who sends a request.
   *
   * @param credentials What it brings along.
   * @returns The principal; anonymous when it brings nothing.
   * @throws {ImmuneError} `AUTH_REQUIRED` when it brings a token that does not hold.
   */
  async principal(credentials: Credentials): Promise<Principal> {
    const { authorization, session, isActive = true } = credentials;
    if (authorization !== undefined) return await this.#byToken(authorization);
    if (session === undefined || session.length > CREDENTIAL_CHARACTERS_MAX) return ANONYMOUS;
    const found = this.sessions.find(session, { isActive });
    if (found === undefined) return ANONYMOUS;
    const { account: id, isFresh } = found;
    if (id === undefined) return { kind: "session", role: "admin", isFresh };
    const account = await this.accounts.get(id);
    if (account === undefined || account.disabled) {
      this.sessions.endOf(id);
      return ANONYMOUS;
    }
    const person = { id, name: account.name };
    return { kind: "session", person, role: account.role, isFresh };
  }

  /**
   * Makes the code of a one-time login link of the host's owner.
   *
   * @returns The code, good for {@linkcode LOGIN_LINK_MS}.
   */
  addLoginCode(): string {
    return this.#links.add(undefined);
  }

  /**
   * Makes the code of a link by which a person gets into a new or reset account.
   *
   * @param account Whose.
   * @returns The code, good once within {@linkcode INVITE_MS}.
   */
  addInvite({ id }: Pick<Account, "id">): string {
    return this.#invites.add(id);
  }

  /**
   * Signs a person in.
   *
   * @param code Code of a login link, which is used up, or the operator token.
   * @param source Address of the person's browser.
   * @returns The session: the value of its cookie.
   * @throws {ImmuneError} `AUTH_REQUIRED` for a code that does not hold, `RATE_LIMITED` after too
   * many of them.
   */
  async signIn(code: string, source: string): Promise<string> {
    this.signIns.checkSource(source);
    if (code.length <= CREDENTIAL_CHARACTERS_MAX) {
      if (this.#links.take(code) !== undefined) {
        return await this.signIns.enter(undefined, { method: "link", source });
      }
      if (this.#isToken(code)) {
        return await this.signIns.enter(undefined, { method: "operator_token", source });
      }
      const invite = this.#invites.take(code);
      const account = invite && await this.accounts.get(invite.value);
      if (account !== undefined && !account.disabled) {
        return await this.signIns.enter(account, { method: "link", source });
      }
    }
    return await this.signIns.refuse({ method: "link", source });
  }

  /**
   * Signs a person in by name and password.
   *
   * @param login What the person typed.
   * @param source Address of the person's browser.
   * @returns The session: the value of its cookie.
   * @throws {ImmuneError} `AUTH_REQUIRED`, `RATE_LIMITED`.
   */
  signInByPassword(login: PasswordLogin, source: string): Promise<string> {
    return this.signIns.byPassword(login, source);
  }

  /**
   * Ends a session.
   *
   * @param session Value of its cookie.
   */
  signOut(session: string): void {
    this.sessions.end(session);
  }

  /**
   * Records that someone was refused what a role does not have.
   *
   * @param principal Who.
   * @param action What for.
   */
  async recordRefusal(principal: Principal, action: string): Promise<void> {
    await this.#refusals.record({ actor: actorOf(principal), action, detail: { why: "role" } });
  }

  async #byToken(authorization: string): Promise<Principal> {
    const text = /^Bearer +([\w-]{1,128}) *$/i.exec(authorization)?.[1];
    if (text !== undefined && this.#isToken(text)) return { kind: "token" };
    const token = text === undefined ? undefined : await this.tokens.find(text);
    const account = token && await this.accounts.get(token.person.id);
    if (token !== undefined && account !== undefined && !account.disabled) {
      const person = { id: account.id, name: account.name };
      // Who may less today than when the token was made takes its programs along.
      return { kind: "api_token", id: token.id, person, role: lesser(token.role, account.role) };
    }
    throw new ImmuneError(
      "AUTH_REQUIRED",
      'The API token is not valid, or no longer: send "Authorization: Bearer" with the text of ' +
        'operator.token or of "immune tokens add"',
    );
  }

  #isToken(token: string): boolean {
    return isSameHash(hashSecret(token), this.#tokenHash);
  }
}

const ANONYMOUS: Principal = { kind: "anonymous" };
