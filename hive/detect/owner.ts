import { CountingWorker } from "../counting_worker.ts";
import {
  DETECT_WORKER,
  type DetectCommand,
  type DetectCounters,
  type DetectOwnReport,
  type RulesPlace,
} from "./messages.ts";

/** Options of `DetectWorker.start`. */
export interface DetectWorkerOptions {
  readonly rules: RulesPlace;
  /** A client's port of the store, as `StoreWorker.connect` gives it; it is handed over. */
  readonly store: MessagePort;
  /** Takes a line for the log. Default: none. */
  readonly onLine?: (line: string) => void;
}

/** The owner's end of the hive's detection, which runs in a Worker of its own. */
export class DetectWorker {
  readonly #worker: CountingWorker<DetectCommand, DetectOwnReport, DetectCounters>;
  readonly #onLine: (line: string) => void;
  readonly #started = Promise.withResolvers<void>();
  #reloading: PromiseWithResolvers<void> | undefined;

  private constructor({ rules, store, onLine }: DetectWorkerOptions) {
    this.#onLine = onLine ?? ((): void => {});
    this.#worker = new CountingWorker({
      program: DETECT_WORKER,
      what: "Detection",
      start: { command: { type: "start", rules, store }, given: [store] },
      hear: (report) => this.#hear(report),
    });
  }

  /**
   * Starts the Worker; it goes on from where the last one stopped.
   *
   * @param options Rules and store.
   * @returns It; alerts are looked at once its rules are compiled.
   * @throws {ImmuneError} `INTERNAL` when it does not start.
   */
  static async start(options: DetectWorkerOptions): Promise<DetectWorker> {
    const owner = new DetectWorker(options);
    await owner.#worker.unlessFailed(owner.#started.promise);
    return owner;
  }

  /** Rejects when the Worker ends by itself. */
  get failed(): Promise<never> {
    return this.#worker.failed;
  }

  /** What it did and holds; after a stop what that was last. */
  counters(): Promise<DetectCounters> {
    return this.#worker.counters();
  }

  /** Has it read its rules again; settled when they are in force, or those before stay. */
  reload(): Promise<void> {
    if (this.#reloading === undefined) {
      this.#reloading = Promise.withResolvers();
      this.#worker.send({ type: "reload" });
    }
    return this.#worker.unlessFailed(this.#reloading.promise);
  }

  /** Puts its state down and ends the Worker. */
  stop(): Promise<DetectCounters> {
    return this.#worker.stop();
  }

  #hear(report: DetectOwnReport): void {
    if (report.type === "line") this.#onLine(report.line);
    else if (report.type === "started") this.#started.resolve();
    else {
      this.#reloading?.resolve();
      this.#reloading = undefined;
    }
  }
}
