import type { Clock, Timer } from "../../common/config/clock.ts";
import { certificateDer, certificatesIn, pinSetId } from "../../common/link/pin.ts";
import type { HiveTransport } from "../../common/link/transport.ts";
import { type Identity, writeIdentity } from "../enrol/identity.ts";
import { refreshPins, renewalDueMs, renewIdentity } from "../enrol/renew.ts";

/** How often it is looked whether the certificate is to be renewed, in milliseconds. */
export const UPKEEP_INTERVAL_MS = 60 * 60 * 1000;
/** Least time between two attempts to have other pins, in milliseconds. */
export const PINS_INTERVAL_MS = 60_000;

/** What upkeep works with. */
export interface UpkeepParts {
  /** The identity in use. */
  readonly identity: Identity;
  /** The agent's folder. */
  readonly folder: string;
  readonly transport: Pick<HiveTransport, "ask" | "use">;
  readonly clock: Clock;
  /** Numbers in [0, 1) for the jitter. Default `Math.random`. */
  readonly random?: () => number;
  readonly onWarning: (message: string) => void;
}

/**
 * Keeps an agent's certificate and pins good, one change at a time: the next identity is on the disk
 * before it is used.
 */
export class Upkeep implements Disposable {
  readonly #parts: UpkeepParts;
  readonly #ending = new AbortController();
  #identity: Identity;
  /** `pinSetId` of what it pins, once it is known. */
  #pinSet: string | undefined;
  #timer: Timer | undefined;
  #pinsAskedMs = -Infinity;
  #work: Promise<void> = Promise.resolve();

  /** @param parts Identity and way; it looks at once, and then now and then. */
  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
    this.#look();
  }

  /** Settled when nothing is under way. */
  get idle(): Promise<void> {
    return this.#work;
  }

  /**
   * The hive said what is to be pinned.
   *
   * @param pinSet `pinSetId` of it.
   */
  onPins(pinSet: string): void {
    this.#change(async () => {
      const { clock } = this.#parts;
      // Said with every answer: what is pinned is made out once.
      this.#pinSet ??= await pinSetOf(this.#identity);
      if (this.#pinSet === pinSet) return undefined;
      if (clock.monotonicMs() - this.#pinsAskedMs < PINS_INTERVAL_MS) return undefined;
      this.#pinsAskedMs = clock.monotonicMs();
      return await refreshPins(this.#identity, this.#via());
    });
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, random = Math.random } = this.#parts;
    this.#change(async () => {
      const due = renewalDueMs(this.#identity.certificatePem) <= clock.nowMs();
      return due ? await renewIdentity(this.#identity, this.#via()) : undefined;
    });
    // Agents that were enrolled together do not come together.
    this.#timer = clock.setTimer(() => this.#look(), UPKEEP_INTERVAL_MS * (0.5 + random()));
  }

  #change(make: () => Promise<Identity | undefined>): void {
    this.#work = this.#work.then(async () => {
      if (this.#ending.signal.aborted) return;
      try {
        const next = await make();
        if (next === undefined || this.#ending.signal.aborted) return;
        writeIdentity(next, this.#parts.folder);
        this.#identity = next;
        this.#pinSet = undefined;
        this.#parts.transport.use(next);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (!this.#ending.signal.aborted) this.#parts.onWarning(why);
      }
    });
  }

  #via(): { transport: UpkeepParts["transport"]; signal: AbortSignal } {
    return { transport: this.#parts.transport, signal: this.#ending.signal };
  }
}

async function pinSetOf({ hivePem }: Identity): Promise<string> {
  return await pinSetId(certificatesIn(hivePem).flatMap((pem) => certificateDer(pem) ?? []));
}
