import type { Clock, Timer } from "../common/config/mod.ts";
import { Backoff } from "../common/link/backoff.ts";

/** Options of {@linkcode Rounds}. */
export interface RoundsOptions {
  /** What is done; when it throws, the next round comes later and later, at most a minute. */
  readonly work: () => Promise<void>;
  /** Time from the end of a round to the next, in milliseconds. */
  readonly everyMs: number;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly log: (line: string) => void;
}

/** Work that is done again and again, one round behind the other, until it is disposed of. */
export class Rounds implements AsyncDisposable {
  readonly #options: RoundsOptions;
  readonly #backoff = new Backoff();
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #waitMs: number;
  #ended = false;

  /** @param options What, and how often. */
  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#waitMs = options.everyMs;
  }

  /** Begins: the first round is after the time between two. */
  start(): void {
    if (this.#ended) return;
    const round = (): void => void this.now().then(() => this.start());
    this.#timer = this.#options.clock.setTimer(round, this.#waitMs);
  }

  /** A round now, behind one that is under way; what it throws is told and tried again. */
  now(): Promise<void> {
    this.#running = this.#running.then(() => this.#round());
    return this.#running;
  }

  /** Ends it, behind the round that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #round(): Promise<void> {
    const { work, everyMs, log } = this.#options;
    try {
      await work();
      this.#backoff.reset();
      this.#waitMs = everyMs;
    } catch (error) {
      this.#waitMs = Math.max(everyMs, this.#backoff.next());
      log(error instanceof Error ? error.message : String(error));
    }
  }
}
