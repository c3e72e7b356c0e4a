/**
 * Things on their way to a reader that may be slow: at most so many at once, more are counted and
 * not sent.
 */
export class Window<T> {
  readonly #size: number;
  readonly #send: (things: readonly T[]) => void;
  #waiting: T[] = [];
  #inFlight = 0;
  #dropped = 0;

  /**
   * @param size Most things that wait or are on their way, from 1.
   * @param send Sends things; the reader tells how many it took, see `taken`.
   */
  constructor(size: number, send: (things: readonly T[]) => void) {
    this.#size = size;
    this.#send = send;
  }

  /** Things that were not sent. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a thing for the next `flush`, or counts it as dropped. */
  add(thing: T): void {
    if (this.#inFlight + this.#waiting.length >= this.#size) this.#dropped++;
    else this.#waiting.push(thing);
  }

  /** Sends what waits, if anything does. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const things = this.#waiting;
    this.#waiting = [];
    this.#inFlight += things.length;
    this.#send(things);
  }

  /** The reader took so many of them. */
  taken(count: number): void {
    this.#inFlight -= count;
  }
}
