import * as z from "zod";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { type DocumentRow, DOCUMENTS_PER_PAGE_MAX } from "../store/store.ts";
import type { DocumentStore } from "./accounts.ts";
import type { Person } from "./principal.ts";
import { type Role, ROLES } from "./role.ts";
import { hashSecret, newSecret } from "./secret.ts";

/** Kind of API tokens in the store. */
const KIND = "api_token";
/** Most API tokens of one person. */
export const TOKENS_PER_PERSON_MAX = 32;
/** Longest life of an API token, in milliseconds. */
export const TOKEN_MS_MAX = 366 * 86_400_000;
/** What an API token starts with, so that it is known when it is found where it should not be. */
export const TOKEN_PREFIX = "immune_";

const tokenSchema = z.object({
  id: z.uuid(),
  person: z.object({ id: z.uuid(), name: z.string() }),
  /** What it is for. */
  name: z.string(),
  role: z.enum(ROLES),
  createdAt: z.string(),
  expiresAt: z.string(),
});

/** An API token, without its secret. */
export type ApiToken = z.infer<typeof tokenSchema>;

/** API tokens of people, in the store: of their secrets only the SHA-256. */
export class ApiTokens {
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

  /**
   * All API tokens, those that expired too.
   *
   * @param person Id of whose. Default: everyone's.
   */
  async list(person?: string): Promise<readonly ApiToken[]> {
    const found: ApiToken[] = [];
    let after: string | null = "";
    while (after !== null) {
      const page: Awaited<ReturnType<DocumentStore["documents"]>> = await this.#store.documents({
        kind: KIND,
        limit: DOCUMENTS_PER_PAGE_MAX,
        after,
      });
      found.push(...page.documents.map(tokenOf));
      after = page.next;
    }
    return found.filter((token) => person === undefined || token.person.id === person)
      .sort((a, b) => a.createdAt < b.createdAt ? -1 : 1);
  }

  /**
   * Makes an API token.
   *
   * @param person Whose it is.
   * @param options What it is for, what it may at most, and how long it holds.
   * @returns The token, and its text, which is shown once.
   * @throws {ImmuneError} `INPUT_MALFORMED`, `RATE_LIMITED` over the bound of a person.
   */
  async add(
    person: Person,
    options: { readonly name: string; readonly role: Role; readonly lifetimeMs: number },
  ): Promise<{ readonly token: ApiToken; readonly text: string }> {
    const { name, role, lifetimeMs } = options;
    if (!(lifetimeMs > 0 && lifetimeMs <= TOKEN_MS_MAX)) {
      throw new ImmuneError(
        "INPUT_MALFORMED",
        "Cannot make token: it has to expire within 366 days",
      );
    }
    await this.#makeRoom(person);
    const nowMs = this.#clock.nowMs();
    const token: ApiToken = {
      id: crypto.randomUUID(),
      person: { id: person.id, name: person.name },
      name,
      role,
      createdAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + lifetimeMs).toISOString(),
    };
    const text = `${TOKEN_PREFIX}${newSecret()}`;
    const body = JSON.stringify(token);
    const row = { kind: KIND, id: token.id, key: hashSecret(text), version: 1, body };
    if (!await this.#store.putDocument(row)) {
      throw new ImmuneError("STORE_FAILED", "Cannot make token: the store has one like it");
    }
    return { token, text };
  }

  /**
   * The token of a text.
   *
   * @param text What someone says is a token.
   * @returns It; `undefined` when it is none, was revoked or has expired.
   */
  async find(text: string): Promise<ApiToken | undefined> {
    if (!text.startsWith(TOKEN_PREFIX)) return undefined;
    const row = await this.#store.findDocument(KIND, hashSecret(text));
    const token = row && tokenOf(row);
    return token !== undefined && this.#holds(token) ? token : undefined;
  }

  /**
   * A token that is there.
   *
   * @param id Its id.
   * @throws {ImmuneError} `NOT_FOUND`.
   */
  async known(id: string): Promise<ApiToken> {
    const row = await this.#store.document(KIND, id);
    if (row !== undefined) return tokenOf(row);
    throw new ImmuneError("NOT_FOUND", `Cannot find token "${id}": "immune tokens list" has them`);
  }

  /**
   * Revokes a token.
   *
   * @param id Its id.
   */
  async revoke(id: string): Promise<void> {
    await this.#store.removeDocument(KIND, id);
  }

  #holds({ expiresAt }: ApiToken): boolean {
    return Date.parse(expiresAt) > this.#clock.nowMs();
  }

  /** Those that expired go when there is another. */
  async #makeRoom(person: Person): Promise<void> {
    const own = await this.list(person.id);
    for (const token of own) if (!this.#holds(token)) await this.revoke(token.id);
    if (own.filter((token) => this.#holds(token)).length < TOKENS_PER_PERSON_MAX) return;
    const message = `Cannot make token: "${person.name}" has ${TOKENS_PER_PERSON_MAX}; revoke one`;
    throw new ImmuneError("RATE_LIMITED", message);
  }
}

function tokenOf({ id, body }: DocumentRow): ApiToken {
  const found = tokenSchema.safeParse(JSON.parse(body));
  if (found.success) return found.data;
  throw new ImmuneError("STORE_FAILED", `Cannot read token "${id}": it is damaged`);
}
