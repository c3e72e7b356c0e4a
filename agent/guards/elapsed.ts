/** Elapsed time as it is kept over restarts. */
export interface KeptElapsed {
  /** Boot in which it was kept, 32 hexadecimal digits. */
  readonly bootId: string;
  /** Time since that boot, in milliseconds. */
  readonly bootMs: number;
  /** Milliseconds that had passed. */
  readonly elapsedMs: number;
}

/** What an {@linkcode ElapsedClock} is made of. */
export interface ElapsedOptions {
  /** This boot. */
  readonly bootId: string;
  /** Milliseconds since boot, suspend included (`CLOCK_BOOTTIME`): nobody can set it. */
  readonly bootMs: () => number;
  /** As it was kept. Default: nothing has passed. */
  readonly kept?: KeptElapsed | undefined;
}

/**
 * Time that passes while the host is on, over restarts of the program and of the host. Setting the
 * host's clock does not change it.
 */
export class ElapsedClock {
  readonly #options: ElapsedOptions;
  readonly #zeroMs: number;

  /** @param options Boot and what was kept. */
  constructor(options: ElapsedOptions) {
    const { bootId, bootMs, kept } = options;
    this.#options = options;
    const nowMs = bootMs();
    // In the same boot what passed in between counts; after another one, all that it has lasted.
    const since = kept?.bootId === bootId ? Math.max(0, nowMs - kept.bootMs) : nowMs;
    this.#zeroMs = kept === undefined ? nowMs : nowMs - kept.elapsedMs - since;
  }

  /** Milliseconds that have passed. */
  nowMs(): number {
    return this.#options.bootMs() - this.#zeroMs;
  }

  /** What to keep now. */
  keep(): KeptElapsed {
    const { bootId, bootMs } = this.#options;
    const nowMs = bootMs();
    return { bootId, bootMs: nowMs, elapsedMs: nowMs - this.#zeroMs };
  }
}
