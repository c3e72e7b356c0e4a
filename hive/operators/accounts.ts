import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { type DocumentRow, DOCUMENTS_PER_PAGE_MAX, type Store } from "../store/store.ts";
import { type Account, accountSchema, NAME_FORM } from "./account.ts";
import type { Role } from "./role.ts";

/** Kind of accounts in the store. */
const KIND = "account";
/** Most accounts of a hive. */
export const ACCOUNTS_MAX = 1000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Tries of a change that others are quicker than. */
const TRIES_MAX = 8;

/** The part of the store that accounts need. */
export type DocumentStore = Pick<
  Store,
  "document" | "findDocument" | "documents" | "putDocument" | "removeDocument"
>;

/** What an account begins with. */
export interface NewAccount {
  readonly name: string;
  readonly role: Role;
  /** At the OpenID provider. Default: none. */
  readonly oidcSubject?: string | undefined;
}

/** Accounts of people, in the store. */
export class Accounts {
  readonly #store: DocumentStore;
  readonly #clock: Clock;

  /**
   * @param store Where they are.
   * @param clock Tells the time.
   */
  constructor(store: DocumentStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** All accounts by name. */
  async list(): Promise<readonly Account[]> {
    const { documents } = await this.#store.documents({
      kind: KIND,
      limit: DOCUMENTS_PER_PAGE_MAX,
    });
    return documents.map(accountOf).sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /**
   * An account.
   *
   * @param id Its id.
   */
  async get(id: string): Promise<Account | undefined> {
    const row = await this.#store.document(KIND, id);
    return row && accountOf(row);
  }

  /**
   * An account by its name.
   *
   * @param name Its name.
   */
  async named(name: string): Promise<Account | undefined> {
    const row = await this.#store.findDocument(KIND, name);
    return row && accountOf(row);
  }

  /**
   * An account that is there. A name is never taken for what is somebody's id.
   *
   * @param idOrName Its id or its name.
   * @throws {ImmuneError} `NOT_FOUND`.
   */
  async known(idOrName: string): Promise<Account> {
    const account = await this.get(idOrName) ?? await this.named(idOrName);
    if (account !== undefined) return account;
    const message = `Cannot find account "${idOrName}": "immune users list" shows those there are`;
    throw new ImmuneError("NOT_FOUND", message);
  }

  /**
   * Adds an account, without anything that it signs in with.
   *
   * @param account What it begins with.
   * @throws {ImmuneError} `INPUT_MALFORMED` for a name that is none or taken, `RATE_LIMITED` over
   * the bound of accounts.
   */
  async add(account: NewAccount): Promise<Account> {
    const { name, role, oidcSubject = null } = account;
    const refuse = (why: string): never => {
      throw new ImmuneError("INPUT_MALFORMED", `Cannot add account "${name}": ${why}`);
    };
    if (!NAME_FORM.test(name)) {
      refuse("use 2 to 64 of a to z, 0 to 9 and . _ @ + -, a letter or digit first and last");
    }
    if (UUID.test(name)) refuse("a name that reads like an id is none");
    if ((await this.list()).length >= ACCOUNTS_MAX) {
      throw new ImmuneError(
        "RATE_LIMITED",
        `Cannot add account: there are ${ACCOUNTS_MAX} already`,
      );
    }
    const added: Account = {
      id: crypto.randomUUID(),
      name,
      role,
      disabled: false,
      createdAt: new Date(this.#clock.nowMs()).toISOString(),
      signedInAt: null,
      password: null,
      totp: null,
      recovery: [],
      passkeys: [],
      oidcSubject,
    };
    if (!await this.#store.putDocument(rowOf(added, 1))) refuse("another has this name");
    return added;
  }

  /**
   * Changes an account. Of two changes at once the second sees the first.
   *
   * @param id Its id.
   * @param change Gives the changed account, or `undefined` to leave it as it is.
   * @returns The account as it is now; `undefined` when nothing was changed.
   * @throws {ImmuneError} `NOT_FOUND`, `RATE_LIMITED` when others are always quicker.
   */
  async change(
    id: string,
    change: (account: Account) => Account | undefined,
  ): Promise<Account | undefined> {
    for (let i = 0; i < TRIES_MAX; i++) {
      const row = await this.#store.document(KIND, id);
      if (row === undefined) throw new ImmuneError("NOT_FOUND", `Cannot find account "${id}"`);
      const changed = change(accountOf(row));
      if (changed === undefined) return undefined;
      if (await this.#store.putDocument(rowOf(changed, row.version + 1))) return changed;
    }
    throw new ImmuneError("RATE_LIMITED", "Cannot change account: others change it; try again");
  }
}

function rowOf(account: Account, version: number): DocumentRow {
  const { id, name } = account;
  return { kind: KIND, id, key: name, version, body: JSON.stringify(account) };
}

function accountOf({ id, body }: DocumentRow): Account {
  const found = accountSchema.safeParse(JSON.parse(body));
  if (found.success) return found.data;
  const why = found.error.issues[0]?.message ?? "";
  throw new ImmuneError("STORE_FAILED", `Cannot read account "${id}": ${why}`);
}
