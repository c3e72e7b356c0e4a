import type { IncomingMessage } from "node:http";
import type { SocketFlow } from "./flow.ts";

/** Options of {@linkcode IncomingBody}. */
export interface IncomingBodyOptions {
  readonly flow: SocketFlow;
  /** Bodies up to this announced length are let in at once, in bytes; their reader has room. */
  readonly lengthMax: number;
}

/**
 * The body of node's request. Nothing of it is read from the system before somebody asks for it; of
 * one that is too long or has no announced length no more than what somebody waits for.
 */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  readonly #incoming: IncomingMessage;
  readonly #flow: SocketFlow;
  readonly #atOnce: boolean;
  #iterator: AsyncIterator<Uint8Array> | undefined;

  /**
   * @param incoming The request, of which nobody else reads the body.
   * @param options Its socket's flow, and what is let in at once.
   */
  constructor(incoming: IncomingMessage, options: IncomingBodyOptions) {
    const announced = Number(incoming.headers["content-length"] ?? NaN);
    this.#incoming = incoming;
    this.#flow = options.flow;
    this.#atOnce = announced <= options.lengthMax;
    this.#flow.hold();
  }

  /** True when nothing of it is left to come. */
  get complete(): boolean {
    return this.#incoming.complete;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /**
   * Reads past what is left, so that its sender hears the answer.
   *
   * @param bytesMax Most bytes to read past.
   * @returns False when there is more.
   */
  async drain(bytesMax: number): Promise<boolean> {
    let left = bytesMax;
    for (let next = await this.#next(); !next.done; next = await this.#next()) {
      left -= next.value.length;
      if (left < 0) return false;
    }
    return true;
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    this.#iterator ??= this.#incoming[Symbol.asyncIterator]();
    this.#flow.release();
    const next = await this.#iterator.next();
    if (!this.#atOnce && !next.done) this.#flow.hold();
    return next;
  }
}
