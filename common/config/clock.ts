/** A timer that was set. */
export interface Timer {
  /** Takes it back; does nothing once it ran. */
  cancel(): void;
}

/** Time as the rest of the program sees it, so that a test can hold it in its hand. */
export interface Clock {
  /** Unix time in milliseconds; jumps when the host's clock is set. */
  nowMs(): number;
  /** Milliseconds that only go forward, from an arbitrary start. Not boot time. */
  monotonicMs(): number;
  /**
   * Calls back once. The timer alone does not keep the process alive.
   *
   * @param callback What to call.
   * @param delayMs After how many milliseconds, from 0.
   */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** The host's clock. */
export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(callback, delayMs): Timer {
    const id = setTimeout(callback, delayMs);
    Deno.unrefTimer(id);
    return { cancel: () => clearTimeout(id) };
  },
};

interface Pending {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  readonly #pending = new Set<Pending>();

  /** @param nowMs Unix time in milliseconds that it starts at. Default 0. */
  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { atMs: this.#monotonicMs + delayMs, callback };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** Timers that are set and did not run. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /**
   * Lets time go on and runs what falls due, in the order of time; a timer sees its own time.
   *
   * @param milliseconds How far.
   */
  advance(milliseconds: number): void {
    const end = this.#monotonicMs + milliseconds;
    for (let due = this.#next(end); due !== undefined; due = this.#next(end)) {
      this.#pending.delete(due);
      this.#moveTo(due.atMs);
      due.callback();
    }
    this.#moveTo(end);
  }

  #next(endMs: number): Pending | undefined {
    let found: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.atMs <= endMs && (found === undefined || timer.atMs < found.atMs)) found = timer;
    }
    return found;
  }

  #moveTo(monotonicMs: number): void {
    const step = Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs += step;
    this.#nowMs += step;
  }
}

/** One moment, read on both clocks. */
export interface Moment {
  /** Unix time in milliseconds. */
  readonly unixMs: number;
  /**
   * Time since boot in nanoseconds, suspend included (`CLOCK_BOOTTIME`), as in a record's `time_ns`
   * or from {@linkcode bootTimeNs}. `performance.now` is not it: it counts from the start of the
   * process and stands still while the host sleeps.
   */
  readonly bootNs: bigint;
}

/**
 * What to add to a boot time to have Unix time.
 *
 * @param moment One moment, read on both clocks.
 * @returns Nanoseconds.
 */
export function wallOffsetNs({ unixMs, bootNs }: Moment): bigint {
  return BigInt(Math.round(unixMs * 1000)) * 1000n - bootNs;
}

/**
 * Time since boot from the text of `/proc/uptime` (proc_uptime(5)), which is `CLOCK_BOOTTIME` cut
 * to 10 ms.
 *
 * @param uptime Its text, such as `"350735.47 234388.90\n"`.
 * @returns Nanoseconds, or `undefined` when the text is something else.
 */
export function bootTimeNs(uptime: string): bigint | undefined {
  const found = /^(\d{1,10})\.(\d{2}) /.exec(uptime);
  if (found === null) return undefined;
  return BigInt(found[1] + (found[2] ?? "")) * 10_000_000n;
}
