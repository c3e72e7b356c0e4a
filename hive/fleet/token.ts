import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { TOKEN_CHARACTERS_MAX, tokenSchema } from "../../common/link/protocol.ts";
import { hashSecret } from "../operators/secret.ts";
import type { Store } from "../store/store.ts";

/** How long a token holds unless told otherwise, in milliseconds. */
export const TOKEN_LIFETIME_MS = 60 * 60 * 1000;
/** Longest that a token may hold, in milliseconds. */
export const TOKEN_LIFETIME_MS_MAX = 7 * 24 * TOKEN_LIFETIME_MS;
/** Most agents that one token enrols. */
export const TOKEN_USES_MAX = 10_000;
/** Most tags of a token. */
export const TAGS_MAX = 16;
const TAG = /^[\w.-]{1,64}$/;
/** Bytes of a token's secret. */
const SECRET_BYTES = 32;

/** What a token tells an agent, and how long it holds. */
export interface TokenOptions {
  /** HOST:PORT of the enrolment listener, as the agent's host reaches it. */
  readonly enroll: string;
  /** HOST:PORT where batches go. */
  readonly agents: string;
  /** What the agent is to pin (DER): the hive's certificate and its successor. */
  readonly pins: readonly Uint8Array[];
  /** Agents that it enrols, 1 to 10,000. Default 1. */
  readonly uses?: number;
  /** Words that its agents get: at most 16, of letters, digits, `.`, `_` and `-`. Default: none. */
  readonly tags?: readonly string[];
  /** The only host that may use it, by its id. Default: any. */
  readonly hostId?: string;
  /** The only host that may use it, by its name. Default: any. */
  readonly hostName?: string;
  /** True when an operator has to approve each enrolment. Default false. */
  readonly approval?: boolean;
  /** How long it holds, in milliseconds, 1 to 7 days. Default 1 h. */
  readonly lifetimeMs?: number;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** A token that was made. */
export interface MadeToken {
  /** SHA-256 of its secret, to withdraw it. */
  readonly id: string;
  /** What is carried to the agent. Whoever has it can use it up. */
  readonly text: string;
  /** Unix time in milliseconds after which it is refused. */
  readonly expiresMs: number;
}

/**
 * Makes an enrolment token. The store keeps only the hash of its secret.
 *
 * @param store Where it is used up.
 * @param options What it says.
 * @returns The token as text: base64url of its JSON.
 * @throws {ImmuneError} `USAGE` when an address or the lifetime does not hold; what the store
 * throws when it takes no more.
 */
export async function makeToken(
  store: Pick<Store, "addToken">,
  options: TokenOptions,
): Promise<MadeToken> {
  const { enroll, agents, pins, lifetimeMs = TOKEN_LIFETIME_MS, uses = 1, tags = [] } = options;
  if (!(lifetimeMs >= 1 && lifetimeMs <= TOKEN_LIFETIME_MS_MAX)) {
    throw new ImmuneError(
      "USAGE",
      `Cannot make a token for ${lifetimeMs} ms: 1 to ${TOKEN_LIFETIME_MS_MAX} are allowed`,
    );
  }
  if (!(Number.isInteger(uses) && uses >= 1 && uses <= TOKEN_USES_MAX)) {
    throw new ImmuneError(
      "USAGE",
      `Cannot make a token for ${uses} agents: 1 to ${TOKEN_USES_MAX} are allowed`,
    );
  }
  if (tags.length > TAGS_MAX || tags.some((tag) => !TAG.test(tag))) {
    throw new ImmuneError(
      "USAGE",
      `Cannot make a token with these tags: at most ${TAGS_MAX} of letters, digits, ".", "_" and ` +
        '"-" are allowed, each of up to 64',
    );
  }
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const token = { version: 2, enroll, agents, pins: pins.map((der) => der.toBase64()), secret };
  const checked = tokenSchema.safeParse(token);
  const text = new TextEncoder().encode(JSON.stringify(token))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  if (!checked.success || text.length > TOKEN_CHARACTERS_MAX) {
    throw new ImmuneError("USAGE", `Cannot make a token for "${enroll}" and "${agents}"`);
  }
  const expiresMs = (options.clock ?? SYSTEM_CLOCK).nowMs() + lifetimeMs;
  const { hostId, hostName, approval = false } = options;
  await store.addToken({
    secretHash: hashSecret(secret),
    expiresMs,
    uses,
    tags,
    approval,
    ...(hostId === undefined ? {} : { hostId }),
    ...(hostName === undefined ? {} : { hostName }),
  });
  return { id: hashSecret(secret), text, expiresMs };
}
