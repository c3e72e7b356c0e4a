import { ImmuneError } from "../../common/config/errors.ts";
import type { Published } from "./downlinks.ts";
import type { IntakeCounters, ListenerSettings } from "./listener.ts";
import type { Renew, Renewal } from "./renewal.ts";
import type { IntakeTrust } from "./trust.ts";
import { INTAKE_WORKER, type IntakeCommand, type IntakeReport } from "./messages.ts";

/** Options of `IntakeWorker.start`. */
export interface IntakeWorkerOptions {
  readonly settings: ListenerSettings;
  /** A client's port of the store, as `StoreWorker.connect` gives it; it is handed over. */
  readonly store: MessagePort;
  /** Where orders come from; the port is handed over. Default: this port gives none. */
  readonly orders?: { readonly signer: MessagePort; readonly folder: string };
  /** Signs agents' next certificates. Default: none is signed. */
  readonly renew?: Renew;
  /** Takes a line for the log. Default: none. */
  readonly onLine?: (line: string) => void;
  /** Module that the Worker runs. Default: the program's own entry. */
  readonly entry?: string;
}

/** The owner's end of the agents' port, which runs in a Worker of its own. */
export class IntakeWorker {
  readonly #worker: Worker;
  readonly #onLine: (line: string) => void;
  readonly #renew: Renew;
  readonly #started = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<IntakeCounters>();
  readonly #failed = Promise.withResolvers<never>();
  #asked: PromiseWithResolvers<IntakeCounters> | undefined;
  #port = 0;
  #last: IntakeCounters | undefined;

  private constructor(options: IntakeWorkerOptions) {
    this.#onLine = options.onLine ?? ((): void => {});
    this.#renew = options.renew ?? noRenewal;
    this.#worker = new Worker(options.entry ?? Deno.mainModule, {
      type: "module",
      name: INTAKE_WORKER,
    });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failed.reject(new ImmuneError("INTERNAL", `The agents' port ended: ${event.message}`));
    };
    const { settings, store, orders } = options;
    this.#worker.onmessage = ({ data }: MessageEvent<IntakeReport>) => {
      if (data.type === "listening") {
        const given = orders === undefined ? [store] : [store, orders.signer];
        this.#send({
          type: "start",
          settings,
          store,
          ...(orders === undefined ? {} : { orders }),
        }, given);
      } else this.#hear(data);
    };
    this.#failed.promise.catch(() => this.#worker.terminate());
  }

  /**
   * Starts the Worker and opens the agents' port in it.
   *
   * @param options Address, certificates, store.
   * @returns It, once it listens.
   * @throws {ImmuneError} `PORT_IN_USE` or `LISTEN_REFUSED` when the address cannot be had.
   */
  static async start(options: IntakeWorkerOptions): Promise<IntakeWorker> {
    const owner = new IntakeWorker(options);
    owner.#port = await Promise.race([owner.#started.promise, owner.failed]);
    return owner;
  }

  /** The port that agents reach. */
  get port(): number {
    return this.#port;
  }

  /** Rejects when the Worker ends by itself. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Sends a directive to those who are connected.
   *
   * @param published The directive, which the store has already.
   */
  publish(published: Published): void {
    if (this.#last === undefined) this.#send({ type: "publish", published });
  }

  /**
   * Shows another certificate and accepts others from now on.
   *
   * @param trust What counts from now on.
   */
  setTrust(trust: IntakeTrust): void {
    this.#send({ type: "trust", trust });
  }

  /** All that the agents' port counts; after a stop what it counted last. */
  counters(): Promise<IntakeCounters> {
    if (this.#last !== undefined) return Promise.resolve(this.#last);
    if (this.#asked === undefined) {
      this.#asked = Promise.withResolvers();
      this.#send({ type: "counters" });
    }
    return Promise.race([this.#asked.promise, this.#stopped.promise, this.failed]);
  }

  /**
   * Closes the port, lets requests under way come to their end, and ends the Worker.
   *
   * @returns What it counted.
   */
  async stop(): Promise<IntakeCounters> {
    if (this.#last !== undefined) return this.#last;
    this.#send({ type: "stop" });
    try {
      this.#last = await Promise.race([this.#stopped.promise, this.failed]);
      return this.#last;
    } finally {
      this.#worker.terminate();
    }
  }

  #send(command: IntakeCommand, given: Transferable[] = []): void {
    this.#worker.postMessage(command, given);
  }

  async #sign(id: number, renewal: Renewal): Promise<void> {
    try {
      const { certificate } = await this.#renew(renewal);
      this.#send({ type: "renewed", id, outcome: { certificate } });
    } catch (error) {
      const { code, message } = error instanceof ImmuneError
        ? error
        : new ImmuneError("INTERNAL", "The hive failed on this request");
      this.#send({ type: "renewed", id, outcome: { code, message } });
    }
  }

  #hear(report: Exclude<IntakeReport, { type: "listening" }>): void {
    if (report.type === "line") this.#onLine(report.line);
    else if (report.type === "renew") void this.#sign(report.id, report.renewal);
    else if (report.type === "started") this.#started.resolve(report.port);
    else if (report.type === "stopped") this.#stopped.resolve(report.counters);
    else if (report.type === "failed") {
      this.#failed.reject(new ImmuneError(report.code, report.message));
    } else {
      this.#asked?.resolve(report.counters);
      this.#asked = undefined;
    }
  }
}

function noRenewal(): Promise<never> {
  return Promise.reject(new ImmuneError("ENROLL_REFUSED", "Cannot sign: this hive renews nothing"));
}
