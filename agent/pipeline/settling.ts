/** When memory is given back for the first time, in milliseconds after the start. */
export const SETTLE_FIRST_MS = 5000;
/** How often it is given back, in milliseconds. */
export const SETTLE_INTERVAL_MS = 60_000;

/** Gives the host back, now and then, what the start, a reload or a peak needed of the C heap. */
export class Settling {
  readonly #settle: (isFirst: boolean) => void;
  readonly #nowMs: () => number;
  #dueAt: number;
  #isFirst = true;

  /**
   * @param settle Gives it back; the first time what only the start needed too.
   * @param nowMs A clock that never jumps, in milliseconds. Default: that of this process.
   */
  constructor(settle: (isFirst: boolean) => void, nowMs: () => number = () => performance.now()) {
    this.#settle = settle;
    this.#nowMs = nowMs;
    this.#dueAt = nowMs() + SETTLE_FIRST_MS;
  }

  /** Does it when it is time to. */
  step(): void {
    const now = this.#nowMs();
    if (now < this.#dueAt) return;
    this.#dueAt = now + SETTLE_INTERVAL_MS;
    this.#settle(this.#isFirst);
    this.#isFirst = false;
  }
}
