import { ImmuneError } from "../../common/config/errors.ts";

/** Bounds of a {@linkcode Window}. */
export interface WindowBounds {
  /** Most requests under way at once. */
  readonly requestsMax: number;
  /** Most bytes under way at once; one request may be longer when it is alone. */
  readonly bytesMax: number;
  /** Most requests that wait for their turn. */
  readonly waitingMax: number;
}

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/** How much is under way: the rest waits in order, and over a bound it is refused. */
export class Window {
  /** Requests that found no room even to wait. */
  turnedAway = 0;
  readonly #bounds: WindowBounds;
  readonly #waiting: Waiting[] = [];
  #requests = 0;
  #bytes = 0;

  /** @param bounds How much may be under way, and wait. */
  constructor(bounds: WindowBounds) {
    this.#bounds = bounds;
  }

  /** Requests under way. */
  get requests(): number {
    return this.#requests;
  }

  /**
   * Waits for room; {@linkcode leave} gives it back.
   *
   * @param bytes Length of the request.
   * @throws {ImmuneError} `RATE_LIMITED` when too many wait already.
   */
  async enter(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) return this.#take(bytes);
    if (this.#waiting.length >= this.#bounds.waitingMax) {
      this.turnedAway++;
      const message = `Cannot ask the store: ${this.#waiting.length} requests wait; try again`;
      throw new ImmuneError("RATE_LIMITED", message);
    }
    await new Promise<void>((resolve) => this.#waiting.push({ bytes, enter: resolve }));
  }

  /**
   * Gives room back.
   *
   * @param bytes As it was taken.
   */
  leave(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    for (let next = this.#waiting[0]; next && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.bytes);
      next.enter();
    }
  }

  #fits(bytes: number): boolean {
    if (this.#requests === 0) return true;
    return this.#requests < this.#bounds.requestsMax &&
      this.#bytes + bytes <= this.#bounds.bytesMax;
  }

  #take(bytes: number): void {
    this.#requests++;
    this.#bytes += bytes;
  }
}
