import { QUEUE_BATCHES_MAX, QUEUE_BYTES_MAX, REQUESTS_PER_AGENT_MAX } from "./bounds.ts";

/** Bounds of a {@linkcode Gate}. */
export interface GateOptions {
  /** Batches inside at a time. Default 256. */
  readonly batchesMax?: number;
  /** Bytes of them. Default 64 MiB. */
  readonly bytesMax?: number;
  /** Requests of one agent inside at a time. Default 2. */
  readonly perAgentMax?: number;
}

/** A place inside; it is given back once. */
export interface Place extends Disposable {}

/** The bounded queue: what is being read from agents or waits for the store, and no more. */
export class Gate {
  readonly #options: Required<GateOptions>;
  readonly #byAgent = new Map<string, number>();
  #batches = 0;
  #bytes = 0;

  /** @param options Bounds. */
  constructor(options: GateOptions = {}) {
    this.#options = {
      batchesMax: options.batchesMax ?? QUEUE_BATCHES_MAX,
      bytesMax: options.bytesMax ?? QUEUE_BYTES_MAX,
      perAgentMax: options.perAgentMax ?? REQUESTS_PER_AGENT_MAX,
    };
  }

  /** Batches inside now. */
  get batches(): number {
    return this.#batches;
  }

  /** Bytes that are set aside for them now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Asks for a place.
   *
   * @param agentId Who wants it.
   * @param bytes Bytes that it may come to.
   * @returns The place, or `undefined` when there is none.
   */
  enter(agentId: string, bytes: number): Place | undefined {
    const { batchesMax, bytesMax, perAgentMax } = this.#options;
    const own = this.#byAgent.get(agentId) ?? 0;
    if (own >= perAgentMax || this.#batches >= batchesMax || this.#bytes + bytes > bytesMax) {
      return undefined;
    }
    this.#byAgent.set(agentId, own + 1);
    this.#batches++;
    this.#bytes += bytes;
    let inside = true;
    const leave = (): void => {
      if (!inside) return;
      inside = false;
      this.#leave(agentId, bytes);
    };
    return { [Symbol.dispose]: leave };
  }

  #leave(agentId: string, bytes: number): void {
    const own = (this.#byAgent.get(agentId) ?? 1) - 1;
    if (own === 0) this.#byAgent.delete(agentId);
    else this.#byAgent.set(agentId, own);
    this.#batches--;
    this.#bytes -= bytes;
  }
}
