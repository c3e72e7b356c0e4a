import { ImmuneError } from "../../common/config/errors.ts";
import { startWorker } from "../../common/config/program.ts";
import { SIGNER_WORKER, type SignerCommand, type SignerReport } from "./messages.ts";
import { SignerClient } from "./signer_client.ts";

/** Options of `SignerWorker.start`. */
export interface SignerWorkerOptions {
  /** The hive's folder, in which the key lies. */
  readonly folder: string;
  /** Fleet that it signs for, 32 hexadecimal digits. */
  readonly fleet: string;
}

/** The owner's end of the signer, which runs in a Worker of its own. */
export class SignerWorker {
  readonly #worker: Worker;
  readonly #client: SignerClient;
  readonly #closed = Promise.withResolvers<void>();
  readonly #publicKey: Uint8Array<ArrayBuffer>;
  /** Rejects when the Worker ends by itself. */
  readonly failed: Promise<never>;

  private constructor(
    worker: Worker,
    { failed, publicKey }: {
      readonly failed: Promise<never>;
      readonly publicKey: Uint8Array<ArrayBuffer>;
    },
  ) {
    this.#worker = worker;
    this.failed = failed;
    this.#publicKey = publicKey;
    this.#client = new SignerClient(this.#connect(true));
    worker.onmessage = ({ data }: MessageEvent<SignerReport>) => {
      if (data.type === "closed") this.#closed.resolve();
    };
  }

  /**
   * Starts the Worker and has it read the key, or make one.
   *
   * @param options Which hive's.
   * @throws {ImmuneError} `STATE_UNUSABLE` when the key cannot be used.
   */
  static async start({ folder, fleet }: SignerWorkerOptions): Promise<SignerWorker> {
    const worker = startWorker(SIGNER_WORKER);
    const opened = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => worker.terminate());
    worker.onerror = (event) => {
      event.preventDefault();
      failed.reject(new ImmuneError("INTERNAL", `The signer ended: ${event.message}`));
    };
    worker.onmessage = ({ data }: MessageEvent<SignerReport>) => {
      const open: SignerCommand = { type: "open", folder, fleet };
      if (data.type === "listening") worker.postMessage(open);
      else if (data.type === "opened") opened.resolve(data.publicKey);
      else if (data.type === "failed") failed.reject(new ImmuneError(data.code, data.message));
    };
    const publicKey = await Promise.race([opened.promise, failed.promise]);
    return new SignerWorker(worker, { failed: failed.promise, publicKey });
  }

  /** Public half of the key that was in force at the start, 64 hexadecimal digits. */
  get publicKey(): string {
    return this.#publicKey.toHex();
  }

  /** The client that may have directives signed. */
  get client(): SignerClient {
    return this.#client;
  }

  /** A port for a client in another Worker, which may have canaries signed and nothing else. */
  connect(): MessagePort {
    return this.#connect(false);
  }

  /** Ends the Worker. */
  async close(): Promise<void> {
    this.#client.close();
    const command: SignerCommand = { type: "close" };
    this.#worker.postMessage(command);
    await Promise.race([this.#closed.promise, this.failed]).finally(() => this.#worker.terminate());
  }

  #connect(owner: boolean): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const command: SignerCommand = { type: "connect", port: port1, owner };
    this.#worker.postMessage(command, [port1]);
    return port2;
  }
}
