import { ImmuneError } from "../../common/config/errors.ts";
import { type ProgramModule, startWorker } from "../../common/config/program.ts";
import { STORE_WORKER, type StoreCommand, type StoreReport } from "./messages.ts";
import { RemoteStore } from "./remote.ts";

/** Options of `StoreWorker.start`. */
export interface StoreWorkerOptions {
  /** Path of the database file; its folder is there. */
  readonly path: string;
  /** Most bytes of the database file. Default: what the disk has. */
  readonly bytesMax?: number;
  /** What the Worker runs. Default: `STORE_WORKER`. */
  readonly program?: ProgramModule;
}

/** The owner's end of a store that runs in a Worker of its own. */
export class StoreWorker {
  readonly #worker: Worker;
  readonly #clients = new Set<RemoteStore>();
  #ended: ImmuneError | undefined;
  readonly #closed = Promise.withResolvers<void>();
  /** Rejects when the store ends by itself; what it has acknowledged is on the disk. */
  readonly failed: Promise<never>;

  private constructor(worker: Worker, failed: Promise<never>) {
    this.#worker = worker;
    this.failed = failed;
    failed.catch((error: ImmuneError) => this.#end(error));
  }

  /**
   * Starts the Worker and opens the store in it.
   *
   * @param options Which store.
   * @throws {ImmuneError} as `SqliteStore`.
   */
  static async start({ path, bytesMax, program }: StoreWorkerOptions): Promise<StoreWorker> {
    const worker = startWorker(program ?? STORE_WORKER);
    const opened = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<never>();
    const owner = new StoreWorker(worker, failed.promise);
    worker.onerror = (event) => {
      event.preventDefault();
      failed.reject(new ImmuneError("STORE_FAILED", `The store ended: ${event.message}`));
    };
    worker.onmessage = ({ data }: MessageEvent<StoreReport>) => {
      if (data.type === "listening") {
        owner.#send({ type: "open", path, ...(bytesMax === undefined ? {} : { bytesMax }) });
      } else if (data.type === "opened") opened.resolve();
      else if (data.type === "closed") owner.#closed.resolve();
      else failed.reject(new ImmuneError(data.error.code, data.error.message));
    };
    await Promise.race([opened.promise, failed.promise]);
    return owner;
  }

  /** A client of this thread. */
  client(): RemoteStore {
    const client = new RemoteStore(this.connect());
    if (this.#ended !== undefined) client.fail(this.#ended);
    this.#clients.add(client);
    return client;
  }

  /** A port for a client in another Worker: hand it over, and give it to `RemoteStore` there. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#send({ type: "connect", port: port1 }, [port1]);
    return port2;
  }

  /** Closes the store behind what was asked before, and ends the Worker. */
  async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    this.#send({ type: "close" });
    await Promise.race([this.#closed.promise, this.failed]).finally(() => this.#worker.terminate());
  }

  #send(command: StoreCommand, given: Transferable[] = []): void {
    this.#worker.postMessage(command, given);
  }

  #end(error: ImmuneError): void {
    this.#ended = error;
    for (const client of this.#clients) client.fail(error);
    this.#worker.terminate();
  }
}
