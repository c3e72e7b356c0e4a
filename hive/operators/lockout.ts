import type { Clock } from "../../common/config/mod.ts";

/** Failures of one account in a row, after which it has to wait. */
export const LOCK_AFTER_FAILURES = 5;
/** First wait, in milliseconds; it doubles with each failure after it. */
export const LOCK_MS = 30_000;
/** Longest wait, in milliseconds. */
export const LOCK_MS_MAX = 15 * 60_000;
/** Names without an account whose failures are counted at a time. */
export const UNKNOWN_NAMES_MAX = 1024;

interface Failures {
  count: number;
  lockedUntilMs: number;
}

/**
 * Makes an account wait whose password is guessed, from wherever the guesses come. Names without an
 * account wait in the same way, so that it does not tell which names there are, but push no account
 * out.
 */
export class Lockout {
  readonly #clock: Clock;
  readonly #known = new Map<string, Failures>();
  readonly #unknown = new Map<string, Failures>();
  /** Attempts that were turned away. */
  refused = 0;

  /** @param clock Tells the time. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks whether a name may try.
   *
   * @param name Name of an account, or what someone says is one.
   * @returns Milliseconds that it has to wait; 0 = it may try now.
   */
  waitMs(name: string): number {
    const failures = this.#known.get(name) ?? this.#unknown.get(name);
    const wait = (failures?.lockedUntilMs ?? 0) - this.#clock.monotonicMs();
    if (wait <= 0) return 0;
    this.refused++;
    return wait;
  }

  /**
   * Counts a failure.
   *
   * @param name What was tried.
   * @param options Whether there is an account of that name.
   */
  fail(name: string, options: { readonly isKnown: boolean }): void {
    const failures = options.isKnown ? this.#knownOf(name) : this.#unknownOf(name);
    failures.count++;
    const over = failures.count - LOCK_AFTER_FAILURES;
    if (over < 0) return;
    const lockMs = Math.min(LOCK_MS_MAX, LOCK_MS * 2 ** Math.min(over, 16));
    failures.lockedUntilMs = this.#clock.monotonicMs() + lockMs;
  }

  /**
   * Forgets the failures of an account that has signed in, or is no more.
   *
   * @param name Its name.
   */
  clear(name: string): void {
    this.#known.delete(name);
  }

  /** Bounded by the accounts there are. */
  #knownOf(name: string): Failures {
    const failures = this.#known.get(name) ?? this.#unknown.get(name) ??
      { count: 0, lockedUntilMs: 0 };
    this.#known.set(name, failures);
    return failures;
  }

  #unknownOf(name: string): Failures {
    const failures = this.#unknown.get(name) ?? { count: 0, lockedUntilMs: 0 };
    this.#unknown.delete(name);
    for (const oldest of this.#unknown.keys()) {
      if (this.#unknown.size < UNKNOWN_NAMES_MAX) break;
      this.#unknown.delete(oldest);
    }
    this.#unknown.set(name, failures);
    return failures;
  }
}
