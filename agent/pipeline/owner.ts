import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { startWorker } from "../../common/config/program.ts";
import type { EcsDocument } from "../../common/record/mod.ts";
import type { Alert, Loss } from "../../common/wire/mod.ts";
import type { Detached } from "../sensors/programs.ts";
import {
  CONTROL,
  PIPELINE_WORKER,
  type PipelineChange,
  type PipelineCommand,
  type PipelineCounters,
  type PipelineOptions,
  type PipelineReport,
  type PipelineStarted,
} from "./messages.ts";
import type { ReloadedPolicy } from "./open.ts";

/** Where a pipeline's reports go. */
export interface PipelineHandlers {
  readonly onStarted: (started: PipelineStarted) => void;
  /** Settled when they have reached their reader: more come only then. */
  readonly onAlerts: (alerts: readonly Alert[]) => Promise<void>;
  /** Settled when they have reached their reader: more come only then. */
  readonly onDocuments: (documents: readonly EcsDocument[]) => Promise<void>;
  readonly onLosses: (losses: readonly Loss[]) => void;
  readonly onWarning: (message: string) => void;
  readonly onReloaded: (reloaded: ReloadedPolicy) => void;
  /** Told why other rules did not come into force, besides the warning. Default: nobody. */
  readonly onKept?: (message: string) => void;
}

/** The owner's end of a pipeline that runs in a Worker. */
export class PipelineWorker {
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(4));
  readonly #start: PipelineCommand;
  #listening = false;
  #stopAsked = false;
  #detached: Detached | undefined;
  #programs: PromiseWithResolvers<number> | undefined;
  #blocking: PromiseWithResolvers<boolean> | undefined;
  #release = false;
  #fail: (reason: unknown) => void = () => {};
  /** Settled when the pipeline has ended. */
  readonly finished: Promise<PipelineCounters>;

  /**
   * Starts it.
   *
   * @param options What it is to do.
   * @param handlers Where its reports go.
   */
  constructor(options: PipelineOptions, handlers: PipelineHandlers) {
    this.#worker = startWorker(PIPELINE_WORKER);
    const control = this.#control.buffer as SharedArrayBuffer;
    this.#start = { type: "start", options, control };
    this.finished = this.#listen(handlers).finally(() => this.#worker.terminate());
  }

  /** What became of the sensor's programs; `undefined` before the end. */
  get detached(): Detached | undefined {
    return this.#detached;
  }

  /** How many programs of the sensor the kernel has now. */
  async programs(): Promise<number> {
    if (this.#programs === undefined) {
      this.#programs = Promise.withResolvers();
      this.#send({ type: "programs" });
    }
    return await Promise.race([this.#programs.promise, this.finished.then(() => 0)]);
  }

  /**
   * Refuses nothing, or goes on.
   *
   * @param wanted Whether it is to refuse.
   * @returns Whether the kernel refuses afterwards; false without an enforcement policy.
   */
  async blocking(wanted: boolean): Promise<boolean> {
    const asked = this.#blocking ??= Promise.withResolvers();
    this.#send({ type: "blocking", wanted });
    return await Promise.race([asked.promise, this.finished.then(() => false)]);
  }

  /**
   * Asks it to stop; what the sensor still holds is taken first.
   *
   * @param release Whether what is pinned in the kernel goes too. Default false.
   */
  stop(release = false): void {
    this.#stopAsked = true;
    this.#release = release;
    if (this.#listening) this.#send({ type: "stop", release });
  }

  /**
   * Has it take over other rules and indicators between two batches; `onReloaded` tells when they
   * are in force, and `onWarning` why they are not.
   *
   * @param change Rules, indicators, and what is to be reported for them.
   */
  reload(change: PipelineChange): void {
    if (this.#listening) this.#send({ type: "reload", ...change });
  }

  /**
   * Lets it know what the hive has, so that the journal can let go of it.
   *
   * @param position Everything up to it is durable there.
   */
  acknowledged(position: number): void {
    if (this.#listening) this.#send({ type: "acknowledged", position });
  }

  #begin(): void {
    this.#listening = true;
    this.#send(this.#start);
    if (this.#stopAsked) this.#send({ type: "stop", release: this.#release });
  }

  #send(command: PipelineCommand): void {
    this.#worker.postMessage(command);
    Atomics.add(this.#control, CONTROL.sent, 1);
  }

  #listen(handlers: PipelineHandlers): Promise<PipelineCounters> {
    const { promise, resolve, reject } = Promise.withResolvers<PipelineCounters>();
    this.#fail = reject;
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new ImmuneError("SENSOR_FAILED", `The pipeline ended: ${event.message}`));
    };
    this.#worker.onmessage = ({ data }: MessageEvent<PipelineReport>) => {
      if (data.type === "stopped") {
        this.#detached = data.detached;
        resolve(data.counters);
      } else if (data.type === "failed") {
        reject(new ImmuneError(data.code as ErrorCode, data.message));
      } else this.#hand(data, handlers);
    };
    return promise;
  }

  #hand(report: PipelineReport, handlers: PipelineHandlers): void {
    if (report.type === "listening") this.#begin();
    else if (report.type === "started") handlers.onStarted(report);
    else if (report.type === "losses") handlers.onLosses(report.losses);
    else if (report.type === "warning") handlers.onWarning(report.message);
    else if (report.type === "reloaded") handlers.onReloaded(report);
    else if (report.type === "kept") handlers.onKept?.(report.message);
    else if (report.type === "programs") {
      this.#programs?.resolve(report.loaded);
      this.#programs = undefined;
    } else if (report.type === "blocking") {
      this.#blocking?.resolve(report.refuses);
      this.#blocking = undefined;
    } else if (report.type === "alerts") {
      this.#taken(handlers.onAlerts(report.alerts), { alerts: report.alerts.length, documents: 0 });
    } else if (report.type === "documents") {
      const { documents } = report;
      this.#taken(handlers.onDocuments(documents), { alerts: 0, documents: documents.length });
    }
  }

  #taken(
    read: Promise<void>,
    counts: { readonly alerts: number; readonly documents: number },
  ): void {
    read.then(() => this.#send({ type: "taken", ...counts }), this.#fail);
  }
}
