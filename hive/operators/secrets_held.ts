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

/** Secrets that were given out, by their hashes: bounded, and each one expires. */
export class SecretsHeld {
  readonly #expiresMs = new Map<string, number>();
  readonly #options: SecretsHeldOptions;
  /** Secrets that had to go before their time because there were too many. */
  evicted = 0;

  /** @param options Bounds and clock. */
  constructor(options: SecretsHeldOptions) {
    this.#options = options;
  }

  /** Secrets that hold. */
  get size(): number {
    this.#dropExpired();
    return this.#expiresMs.size;
  }

  /**
   * Gives a new secret out.
   *
   * @returns The secret; only its hash is kept.
   */
  add(): string {
    this.#dropExpired();
    const secret = newSecret();
    for (const oldest of this.#expiresMs.keys()) {
      if (this.#expiresMs.size < this.#options.countMax) break;
      this.#expiresMs.delete(oldest);
      this.evicted++;
    }
    const { clock, lifetimeMs } = this.#options;
    this.#expiresMs.set(hashSecret(secret), clock.monotonicMs() + lifetimeMs);
    return secret;
  }

  /**
   * Whether a secret holds.
   *
   * @param secret What someone says is one.
   */
  has(secret: string): boolean {
    this.#dropExpired();
    return this.#expiresMs.has(hashSecret(secret));
  }

  /**
   * Ends a secret.
   *
   * @param secret What someone says is one.
   * @returns True when it held until now: of many callers one gets true.
   */
  take(secret: string): boolean {
    this.#dropExpired();
    return this.#expiresMs.delete(hashSecret(secret));
  }

  #dropExpired(): void {
    const now = this.#options.clock.monotonicMs();
    // All live equally long, so that the first ones are the first to go.
    for (const [hash, expires] of this.#expiresMs) {
      if (expires > now) return;
      this.#expiresMs.delete(hash);
    }
  }
}
