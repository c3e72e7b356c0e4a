import type { Clock } from "../config/clock.ts";
import { ImmuneError } from "../config/errors.ts";
import { Backoff } from "./backoff.ts";
import { type Cursor, type HiveOrders, ordersFailure, OrdersRefused } from "./orders.ts";

/** A downlink that is silent for so long is given up, in milliseconds: the hive speaks every 15 s. */
export const DOWNLINK_SILENCE_MS = 45_000;

/** What a downlink is made of. */
export interface DownlinkParts {
  readonly orders: Pick<HiveOrders, "frames">;
  readonly clock: Clock;
  /** What this agent has; asked at every attempt. */
  readonly after: () => Cursor;
  /** Takes a frame; the next one is read when it is settled. */
  readonly onFrame: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Told when it is open. Default: nobody. */
  readonly onOpen?: () => void;
  /** Told why it ended, and in how many milliseconds it is tried again. Default: nobody. */
  readonly onLost?: (reason: string, retryMs: number) => void;
  /** Numbers in [0, 1) for the jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Default {@linkcode DOWNLINK_SILENCE_MS}. */
  readonly silenceMs?: number;
}

/** Keeps a downlink open: what breaks is opened again after a jittered wait, from what it has. */
export class Downlink {
  readonly #parts: DownlinkParts;
  readonly #backoff: Backoff;

  /** @param parts The way to the hive, the cursor and where frames go. */
  constructor(parts: DownlinkParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /**
   * Reads until the signal.
   *
   * @param signal Ends it at once.
   * @throws {ImmuneError} `CERTIFICATE_REFUSED` when the hive does not accept this agent any more.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reason = await this.#read(signal);
      if (signal.aborted) return;
      const retryMs = this.#backoff.next();
      this.#parts.onLost?.(reason, retryMs);
      await this.#wait(retryMs, signal);
    }
  }

  /** Reads one connection to its end, and says why it ended. */
  async #read(signal: AbortSignal): Promise<string> {
    const { orders, after, onFrame, onOpen } = this.#parts;
    const silent = new AbortController();
    const watch = new SilenceWatch(this.#parts, silent);
    let isOpen = false;
    try {
      for await (const frame of orders.frames(after(), AbortSignal.any([signal, silent.signal]))) {
        watch.heard();
        this.#backoff.reset();
        if (!isOpen) onOpen?.();
        isOpen = true;
        if (frame.length > 0) await onFrame(frame);
      }
      return "the hive ended it";
    } catch (error) {
      if (silent.signal.aborted) return "it was silent";
      if (error instanceof OrdersRefused && error.forbidden) {
        throw new ImmuneError(
          "CERTIFICATE_REFUSED",
          `The hive gives no more orders: ${error.message}`,
        );
      }
      return ordersFailure(error);
    } finally {
      watch.end();
    }
  }

  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.setTimer(resolve, delayMs);
    const stop = (): void => resolve();
    signal.addEventListener("abort", stop);
    await promise;
    timer.cancel();
    signal.removeEventListener("abort", stop);
  }
}

/** Gives a connection up that says nothing any more: a cut line may look open for hours. */
class SilenceWatch {
  readonly #parts: DownlinkParts;
  readonly #silent: AbortController;
  #timer: { cancel(): void } | undefined;

  constructor(parts: DownlinkParts, silent: AbortController) {
    this.#parts = parts;
    this.#silent = silent;
    this.heard();
  }

  heard(): void {
    const { clock, silenceMs = DOWNLINK_SILENCE_MS } = this.#parts;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(() => this.#silent.abort(), silenceMs);
  }

  end(): void {
    this.#timer?.cancel();
  }
}
