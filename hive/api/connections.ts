import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** What is known of an open connection. */
interface Connection {
  /** Who asked on it last: an account's id; `undefined` = nobody who has signed in. */
  readonly holder: string | undefined;
  /** Requests that have no whole answer yet. */
  readonly underWay: Set<IncomingMessage>;
}

/**
 * Open connections within a bound. For one more, whoever holds the most gives one: neither
 * strangers nor a single account keep others out.
 */
export class Connections {
  /** The oldest first. */
  readonly #open = new Map<Socket, Connection>();
  readonly #countMax: number;
  /** Those that were turned away, or ended for another. */
  refused = 0;

  /** @param countMax Most that are open at a time. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * Takes one more in, at the cost of another when there are too many.
   *
   * @param socket The connection; it is ended when no other gives way.
   */
  add(socket: Socket): void {
    if (this.#open.size >= this.#countMax) {
      this.refused++;
      const ended = this.#leastNeeded() ?? socket;
      this.#open.delete(ended);
      ended.destroy();
      if (ended === socket) return;
    }
    this.#open.set(socket, { holder: undefined, underWay: new Set() });
    socket.once("close", () => this.#open.delete(socket));
  }

  /**
   * Says who asks on a connection.
   *
   * @param socket The connection.
   * @param holder An account's id; `undefined` = nobody who has signed in.
   */
  setHolder(socket: Socket, holder: string | undefined): void {
    const known = this.#open.get(socket);
    if (known !== undefined) this.#open.set(socket, { ...known, holder });
  }

  /**
   * Notes that a request has come.
   *
   * @param incoming The request.
   * @returns Notes that it has its answer.
   */
  begin(incoming: IncomingMessage): () => void {
    const underWay = this.#open.get(incoming.socket)?.underWay;
    underWay?.add(incoming);
    return () => void underWay?.delete(incoming);
  }

  /** Ends all. */
  destroy(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  /**
   * Strangers count as one, and give before an account that holds as many; an account keeps its
   * last. Of those of one holder the oldest goes on which no whole request waits for its answer.
   */
  #leastNeeded(): Socket | undefined {
    const held = Map.groupBy(this.#open, ([, { holder }]) => holder);
    let most = held.get(undefined) ?? [];
    held.delete(undefined);
    for (const one of held.values()) if (one.length > Math.max(1, most.length)) most = one;
    const [socket] = most.find(([, connection]) => !isBusy(connection)) ?? most[0] ?? [];
    return socket;
  }
}

/** Who sends half a request waits for nothing. */
function isBusy({ underWay }: Connection): boolean {
  return underWay.values().some(({ complete }) => complete);
}
