import type { Clock } from "../../common/config/mod.ts";
import { hashSecret, newSecret } from "./secret.ts";

/** Bounds of {@linkcode SecretsHeld}. */
export interface SecretsHeldOptions {
  /** Most secrets at a time; over it the oldest goes. */
  readonly countMax: number;
  /** How long one holds, in milliseconds. */
  readonly lifetimeMs: number;
  readonly clock: Clock;
}

interface Held<T> {
  readonly value: T;
  readonly expiresMs: number;
}

/** Secrets that were given out, by their hashes: bounded, and each one expires and works once. */
export class SecretsHeld<T> {
  readonly #held = new Map<string, Held<T>>();
  readonly #options: SecretsHeldOptions;
  /** Secrets that had to go before their time because there were too many. */
  evicted = 0;

  /** @param options Bounds and clock. */
  constructor(options: SecretsHeldOptions) {
    this.#options = options;
  }

  /**
   * Gives a new secret out.
   *
   * @param value What it stands for.
   * @returns The secret; only its hash is kept.
   */
  add(value: T): string {
    const secret = newSecret();
    this.keep(secret, value);
    return secret;
  }

  /**
   * Keeps a secret that was made elsewhere.
   *
   * @param secret The secret; only its hash is kept.
   * @param value What it stands for.
   */
  keep(secret: string, value: T): void {
    this.#dropExpired();
    for (const oldest of this.#held.keys()) {
      if (this.#held.size < this.#options.countMax) break;
      this.#held.delete(oldest);
      this.evicted++;
    }
    const { clock, lifetimeMs } = this.#options;
    this.#held.set(hashSecret(secret), { value, expiresMs: clock.monotonicMs() + lifetimeMs });
  }

  /**
   * Uses a secret up.
   *
   * @param secret What someone says is one.
   * @returns What it stands for: of many callers one gets it.
   */
  take(secret: string): { readonly value: T } | undefined {
    this.#dropExpired();
    const hash = hashSecret(secret);
    const held = this.#held.get(hash);
    this.#held.delete(hash);
    return held;
  }

  #dropExpired(): void {
    const now = this.#options.clock.monotonicMs();
    // All live equally long, so that the first ones are the first to go.
    for (const [hash, { expiresMs }] of this.#held) {
      if (expiresMs > now) return;
      this.#held.delete(hash);
    }
  }
}
