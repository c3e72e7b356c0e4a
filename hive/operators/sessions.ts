import type { Clock } from "../../common/config/mod.ts";
import { hashSecret, newSecret } from "./secret.ts";

/** How long a session holds, in milliseconds. */
export const SESSION_MS = 12 * 60 * 60_000;
/** How long a session holds in which a person does nothing, in milliseconds. */
export const SESSION_IDLE_MS = 60 * 60_000;
/** Most sessions at a time; over it the oldest ends. */
export const SESSIONS_MAX = 1024;
/** Most sessions of one account, and of those without one; over it its oldest ends. */
export const SESSIONS_PER_ACCOUNT_MAX = 16;

/** How long after its start a session may change what its account signs in with, in milliseconds. */
export const SESSION_FRESH_MS = 15 * 60_000;

interface Session {
  /** Id of the account; `undefined` = the host's owner. */
  readonly account: string | undefined;
  readonly startMs: number;
  seenMs: number;
}

/** Sessions of browsers, by the hashes of their secrets. They end with the hive. */
export class Sessions {
  readonly #clock: Clock;
  readonly #held = new Map<string, Session>();
  /** Sessions that had to end before their time because there were too many. */
  evicted = 0;

  /** @param clock Tells the time. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Starts a session, with a secret of its own each time.
   *
   * @param account Id of its account; `undefined` = the host's owner.
   * @returns The secret: the value of its cookie.
   */
  start(account: string | undefined): string {
    this.#dropEnded();
    const same = [...this.#held].filter(([, session]) => session.account === account);
    if (same.length >= SESSIONS_PER_ACCOUNT_MAX) this.#evict(same[0]?.[0]);
    if (this.#held.size >= SESSIONS_MAX) this.#evict(this.#held.keys().next().value);
    const secret = newSecret();
    const nowMs = this.#clock.monotonicMs();
    this.#held.set(hashSecret(secret), { account, startMs: nowMs, seenMs: nowMs });
    return secret;
  }

  /**
   * The session of a secret.
   *
   * @param secret What someone says is one.
   * @param options `isActive`: whether a person stands behind this request; a page that renews
   * itself does not keep its session.
   * @returns Its account, and whether it started only now; `undefined` when there is none.
   */
  find(
    secret: string,
    options: { readonly isActive: boolean },
  ): { readonly account: string | undefined; readonly isFresh: boolean } | undefined {
    this.#dropEnded();
    const session = this.#held.get(hashSecret(secret));
    if (session === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    if (options.isActive) session.seenMs = nowMs;
    return { account: session.account, isFresh: nowMs < session.startMs + SESSION_FRESH_MS };
  }

  /**
   * Ends a session.
   *
   * @param secret Its secret.
   */
  end(secret: string): void {
    this.#held.delete(hashSecret(secret));
  }

  /**
   * Ends all sessions of an account.
   *
   * @param account Its id.
   * @param options `but`: secret of one that goes on.
   */
  endOf(account: string, options: { readonly but?: string } = {}): void {
    const kept = options.but === undefined ? undefined : hashSecret(options.but);
    for (const [hash, session] of this.#held) {
      if (session.account === account && hash !== kept) this.#held.delete(hash);
    }
  }

  #evict(hash: string | undefined): void {
    if (hash === undefined) return;
    this.#held.delete(hash);
    this.evicted++;
  }

  #dropEnded(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [hash, { startMs, seenMs }] of this.#held) {
      if (startMs + SESSION_MS <= nowMs || seenMs + SESSION_IDLE_MS <= nowMs) {
        this.#held.delete(hash);
      }
    }
  }
}
