import type { Clock } from "../../common/config/mod.ts";

/** Bounds of {@linkcode RateLimit}. */
export interface RateLimitOptions {
  /** Failures of one source within the window, after which it has to wait. */
  readonly failuresMax: number;
  readonly windowMs: number;
  /** Sources remembered at a time; over it the oldest is forgotten. */
  readonly sourcesMax: number;
  readonly clock: Clock;
}

interface Window {
  failures: number;
  readonly endsMs: number;
}

/** Makes a source that keeps failing wait. */
export class RateLimit {
  readonly #windows = new Map<string, Window>();
  readonly #options: RateLimitOptions;
  /** Attempts that were turned away. */
  refused = 0;

  /** @param options Bounds and clock. */
  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /**
   * Asks whether a source may try.
   *
   * @param source Where it comes from, such as an address.
   * @returns Milliseconds that it has to wait; 0 = it may try now.
   */
  waitMs(source: string): number {
    const now = this.#options.clock.monotonicMs();
    const window = this.#windows.get(source);
    if (window === undefined || window.endsMs <= now) return 0;
    if (window.failures < this.#options.failuresMax) return 0;
    this.refused++;
    return window.endsMs - now;
  }

  /**
   * Counts a failure.
   *
   * @param source Where it comes from.
   */
  fail(source: string): void {
    const { clock, windowMs, sourcesMax } = this.#options;
    const now = clock.monotonicMs();
    const window = this.#windows.get(source);
    if (window !== undefined && window.endsMs > now) {
      window.failures++;
      return;
    }
    this.#windows.delete(source);
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size < sourcesMax) break;
      this.#windows.delete(oldest);
    }
    this.#windows.set(source, { failures: 1, endsMs: now + windowMs });
  }
}
