import { ImmuneError } from "../../common/config/errors.ts";
import {
  DETECT_WORKER,
  type DetectCommand,
  type DetectCounters,
  type DetectReport,
  type RulesPlace,
} from "./messages.ts";

/** Options of `DetectWorker.start`. */
export interface DetectWorkerOptions {
  readonly rules: RulesPlace;
  /** A client's port of the store, as `StoreWorker.connect` gives it; it is handed over. */
  readonly store: MessagePort;
  /** Takes a line for the log. Default: none. */
  readonly onLine?: (line: string) => void;
  /** Module that the Worker runs. Default: the program's own entry. */
  readonly entry?: string;
}

/** The owner's end of the hive's detection, which runs in a Worker of its own. */
export class DetectWorker {
  readonly #worker: Worker;
  readonly #onLine: (line: string) => void;
  readonly #started = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<DetectCounters>();
  readonly #failed = Promise.withResolvers<never>();
  #asked: PromiseWithResolvers<DetectCounters> | undefined;
  #reloading: PromiseWithResolvers<void> | undefined;
  #last: DetectCounters | undefined;

  private constructor(options: DetectWorkerOptions) {
    this.#onLine = options.onLine ?? ((): void => {});
    this.#worker = new Worker(options.entry ?? Deno.mainModule, {
      type: "module",
      name: DETECT_WORKER,
    });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failed.reject(new ImmuneError("INTERNAL", `Detection ended: ${event.message}`));
    };
    const { rules, store } = options;
    this.#worker.onmessage = ({ data }: MessageEvent<DetectReport>) => {
      if (data.type === "listening") this.#send({ type: "start", rules, store }, [store]);
      else this.#hear(data);
    };
    this.#failed.promise.catch(() => this.#worker.terminate());
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
    await Promise.race([owner.#started.promise, owner.failed]);
    return owner;
  }

  /** Rejects when the Worker ends by itself. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** What it did and holds; after a stop what that was last. */
  counters(): Promise<DetectCounters> {
    if (this.#last !== undefined) return Promise.resolve(this.#last);
    if (this.#asked === undefined) {
      this.#asked = Promise.withResolvers();
      this.#send({ type: "counters" });
    }
    return Promise.race([this.#asked.promise, this.#stopped.promise, this.failed]);
  }

  /** Has it read its rules again; settled when they are in force, or those before stay. */
  reload(): Promise<void> {
    if (this.#reloading === undefined) {
      this.#reloading = Promise.withResolvers();
      this.#send({ type: "reload" });
    }
    return Promise.race([this.#reloading.promise, this.failed]);
  }

  /** Puts its state down and ends the Worker. */
  async stop(): Promise<DetectCounters> {
    if (this.#last !== undefined) return this.#last;
    this.#send({ type: "stop" });
    try {
      this.#last = await Promise.race([this.#stopped.promise, this.failed]);
      return this.#last;
    } finally {
      this.#worker.terminate();
    }
  }

  #send(command: DetectCommand, given: Transferable[] = []): void {
    this.#worker.postMessage(command, given);
  }

  #hear(report: Exclude<DetectReport, { type: "listening" }>): void {
    if (report.type === "line") this.#onLine(report.line);
    else if (report.type === "started") this.#started.resolve();
    else if (report.type === "reloaded") {
      this.#reloading?.resolve();
      this.#reloading = undefined;
    } else if (report.type === "stopped") this.#stopped.resolve(report.counters);
    else if (report.type === "failed") {
      this.#failed.reject(new ImmuneError(report.code, report.message));
    } else {
      this.#asked?.resolve(report.counters);
      this.#asked = undefined;
    }
  }
}
