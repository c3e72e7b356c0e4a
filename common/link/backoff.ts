/** Bound of the first wait after a failure, in milliseconds. */
export const BACKOFF_FIRST_MS = 1000;
/** Bound of every wait, in milliseconds. */
export const BACKOFF_MAX_MS = 60_000;
/** Failures after which the bound no longer grows. */
const DOUBLINGS_MAX = Math.ceil(Math.log2(BACKOFF_MAX_MS / BACKOFF_FIRST_MS));

/**
 * How long to wait after failures: exponential, with full jitter (each wait is drawn evenly from 0
 * to the bound), so that the agents of a hive that comes back do not all come at once.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** @param random Numbers in [0, 1). Default `Math.random`. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and gives the wait after it, in milliseconds. */
  next(): number {
    const bound = BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures, DOUBLINGS_MAX);
    this.#failures++;
    return this.#random() * Math.min(BACKOFF_MAX_MS, bound);
  }

  /** Begins anew after a success. */
  reset(): void {
    this.#failures = 0;
  }
}
