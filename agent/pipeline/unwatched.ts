import type { KernelSensor } from "../sensors/kernel.ts";

/** How often it is asked for, in milliseconds. */
export const UNWATCHED_INTERVAL_MS = 5000;

/** What it works with. */
export interface UnwatchedParts {
  readonly sensor: Pick<KernelSensor, "unwatched" | "problem">;
  readonly onWarning: (message: string) => void;
  /** A clock that never jumps, in milliseconds. Default: that of this process. */
  readonly nowMs?: () => number;
}

/** Warns of watches that what came later made incomplete, each time that they are more. */
export class Unwatched {
  readonly #parts: UnwatchedParts;
  readonly #nowMs: () => number;
  #dueAt = -Infinity;
  #told = 0;

  /** @param parts The sensor, and who is warned. */
  constructor(parts: UnwatchedParts) {
    this.#parts = parts;
    this.#nowMs = parts.nowMs ?? (() => performance.now());
  }

  /** Asks when it is time to. */
  step(): void {
    const now = this.#nowMs();
    if (now < this.#dueAt) return;
    this.#dueAt = now + UNWATCHED_INTERVAL_MS;
    const { sensor, onWarning } = this.#parts;
    const count = sensor.unwatched();
    if (count > this.#told) {
      onWarning(`${count} watches could not be kept, the last: ${sensor.problem()}`);
    }
    // Another policy begins anew.
    this.#told = count;
  }
}
