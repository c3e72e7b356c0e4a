import { ImmuneError } from "../../common/config/errors.ts";
import type { HerdSaid } from "../herd/word_trail.ts";
import type { Published } from "./downlinks.ts";
import type { IntakeCounters, ListenerSettings } from "./listener.ts";
import type { Renew, Renewal } from "./renewal.ts";
import type { IntakeTrust } from "./trust.ts";
import { CountingWorker } from "../counting_worker.ts";
import { INTAKE_WORKER, type IntakeCommand, type IntakeOwnReport } from "./messages.ts";

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
  /** Told of each word for the herd that was heard. Default: nobody. */
  readonly onSaid?: (said: HerdSaid) => void;
}

/** The owner's end of the agents' port, which runs in a Worker of its own. */
export class IntakeWorker {
  readonly #worker: CountingWorker<IntakeCommand, IntakeOwnReport, IntakeCounters>;
  readonly #onLine: (line: string) => void;
  readonly #onSaid: (said: HerdSaid) => void;
  readonly #renew: Renew;
  readonly #started = Promise.withResolvers<number>();
  #port = 0;

  private constructor(options: IntakeWorkerOptions) {
    const { settings, store, orders } = options;
    this.#onLine = options.onLine ?? ((): void => {});
    this.#onSaid = options.onSaid ?? ((): void => {});
    this.#renew = options.renew ?? noRenewal;
    const from = orders === undefined ? {} : { orders };
    this.#worker = new CountingWorker({
      program: INTAKE_WORKER,
      what: "The agents' port",
      start: {
        command: { type: "start", settings, store, ...from },
        given: orders === undefined ? [store] : [store, orders.signer],
      },
      hear: (report) => this.#hear(report),
    });
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
    owner.#port = await owner.#worker.unlessFailed(owner.#started.promise);
    return owner;
  }

  /** The port that agents reach. */
  get port(): number {
    return this.#port;
  }

  /** Rejects when the Worker ends by itself. */
  get failed(): Promise<never> {
    return this.#worker.failed;
  }

  /**
   * Sends a directive to those who are connected.
   *
   * @param published The directive, which the store has already.
   */
  publish(published: Published): void {
    this.#worker.send({ type: "publish", published });
  }

  /**
   * Shows another certificate and accepts others from now on.
   *
   * @param trust What counts from now on.
   */
  setTrust(trust: IntakeTrust): void {
    this.#worker.send({ type: "trust", trust });
  }

  /** All that the agents' port counts; after a stop what it counted last. */
  counters(): Promise<IntakeCounters> {
    return this.#worker.counters();
  }

  /**
   * Closes the port, lets requests under way come to their end, and ends the Worker.
   *
   * @returns What it counted.
   */
  stop(): Promise<IntakeCounters> {
    return this.#worker.stop();
  }

  async #sign(id: number, renewal: Renewal): Promise<void> {
    try {
      const { certificate } = await this.#renew(renewal);
      this.#worker.send({ type: "renewed", id, outcome: { certificate } });
    } catch (error) {
      const { code, message } = error instanceof ImmuneError
        ? error
        : new ImmuneError("INTERNAL", "The hive failed on this request");
      this.#worker.send({ type: "renewed", id, outcome: { code, message } });
    }
  }

  #hear(report: IntakeOwnReport): void {
    if (report.type === "line") this.#onLine(report.line);
    else if (report.type === "said") this.#onSaid(report.said);
    else if (report.type === "renew") void this.#sign(report.id, report.renewal);
    else this.#started.resolve(report.port);
  }
}

function noRenewal(): Promise<never> {
  return Promise.reject(new ImmuneError("ENROLL_REFUSED", "Cannot sign: this hive renews nothing"));
}
