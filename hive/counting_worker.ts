import { type ErrorCode, ImmuneError } from "../common/config/errors.ts";
import { type ProgramModule, startWorker } from "../common/config/program.ts";

/** What every Worker that counts is told, besides its own commands. */
export type CountingCommand = { readonly type: "counters" } | { readonly type: "stop" };

/** What every Worker that counts tells its owner, besides its own reports. */
export type CountingReport<Counters> =
  | { readonly type: "listening" }
  | { readonly type: "counters"; readonly counters: Counters }
  | { readonly type: "stopped"; readonly counters: Counters }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };

/** Options of {@linkcode CountingWorker}. */
export interface CountingWorkerOptions<Command, Report> {
  /** What it runs. */
  readonly program: ProgramModule;
  /** What it is, as in `WHAT ended`. */
  readonly what: string;
  /** Its first command, with what is handed over. */
  readonly start: { readonly command: Command; readonly given: readonly Transferable[] };
  /** Takes its own reports. */
  readonly hear: (report: Report) => void;
}

/** The owner's end of a Worker of the hive that counts what it does until it is stopped. */
export class CountingWorker<
  Command extends { readonly type: string },
  Report extends { readonly type: string },
  Counters,
> {
  readonly #worker: Worker;
  readonly #hear: (report: Report) => void;
  readonly #start: CountingWorkerOptions<Command, Report>["start"];
  readonly #stopped = Promise.withResolvers<Counters>();
  readonly #failed = Promise.withResolvers<never>();
  #asked: PromiseWithResolvers<Counters> | undefined;
  #last: Counters | undefined;

  /** @param options What it runs, its first command, and where its reports go. */
  constructor({ program, what, start, hear }: CountingWorkerOptions<Command, Report>) {
    this.#hear = hear;
    this.#start = start;
    this.#worker = startWorker(program);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failed.reject(new ImmuneError("INTERNAL", `${what} ended: ${event.message}`));
    };
    this.#worker.onmessage = ({ data }: MessageEvent<Report | CountingReport<Counters>>) =>
      this.#take(data);
    this.#failed.promise.catch(() => this.#worker.terminate());
  }

  /** Rejects when the Worker ends by itself. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Waits for something of it, unless it ends by itself.
   *
   * @param wanted What is waited for.
   */
  unlessFailed<T>(wanted: Promise<T>): Promise<T> {
    return Promise.race([wanted, this.failed]);
  }

  /**
   * Tells it something; one that was stopped hears nothing.
   *
   * @param command What.
   */
  send(command: Command): void {
    if (this.#last === undefined) this.#post(command);
  }

  /** All that it counts; after a stop what it counted last. */
  counters(): Promise<Counters> {
    if (this.#last !== undefined) return Promise.resolve(this.#last);
    if (this.#asked === undefined) {
      this.#asked = Promise.withResolvers();
      this.#post({ type: "counters" });
    }
    return Promise.race([this.#asked.promise, this.#stopped.promise, this.failed]);
  }

  /**
   * Lets it come to its end, and ends it.
   *
   * @returns What it counted.
   */
  async stop(): Promise<Counters> {
    if (this.#last !== undefined) return this.#last;
    this.#post({ type: "stop" });
    try {
      this.#last = await this.unlessFailed(this.#stopped.promise);
      return this.#last;
    } finally {
      this.#worker.terminate();
    }
  }

  #post(command: Command | CountingCommand, given: readonly Transferable[] = []): void {
    this.#worker.postMessage(command, [...given]);
  }

  #take(report: Report | CountingReport<Counters>): void {
    if (!isCounting<Counters>(report)) this.#hear(report);
    else if (report.type === "listening") this.#post(this.#start.command, this.#start.given);
    else if (report.type === "stopped") this.#stopped.resolve(report.counters);
    else if (report.type === "failed") {
      this.#failed.reject(new ImmuneError(report.code, report.message));
    } else {
      this.#asked?.resolve(report.counters);
      this.#asked = undefined;
    }
  }
}

const COUNTING: ReadonlySet<string> = new Set(["listening", "counters", "stopped", "failed"]);

function isCounting<Counters>(
  report: { readonly type: string },
): report is CountingReport<Counters> {
  return COUNTING.has(report.type);
}
