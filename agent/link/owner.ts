import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { workerProgram } from "../../common/config/program.ts";
import type { LinkCounters, LinkStatus } from "../../common/link/link.ts";
import { LINK_WORKER, type LinkCommand, type LinkOptions, type LinkReport } from "./messages.ts";

/** Where a link's reports go. */
export interface LinkHandlers {
  readonly onStatus: (status: LinkStatus, counters: LinkCounters) => void;
  /** Everything up to `position` is durable at the hive: the journal may let it go. */
  readonly onAcknowledged: (position: number) => void;
  readonly onWarning: (message: string) => void;
}

/** The owner's end of a link that runs in a Worker. */
export class LinkWorker {
  readonly #worker: Worker;
  readonly #options: LinkOptions;
  #listening = false;
  #stopAsked = false;
  /**
   * Settled when the link has ended. It is rejected when the hive takes nothing from this agent any
   * more, or the host is not enrolled: detection and the journal go on without it.
   */
  readonly finished: Promise<LinkCounters>;

  /**
   * Starts it. The journal is open by then.
   *
   * @param options What it is to do.
   * @param handlers Where its reports go.
   */
  constructor(options: LinkOptions, handlers: LinkHandlers) {
    const { entry, ...work } = { entry: workerProgram(LINK_WORKER), ...options };
    this.#options = work;
    this.#worker = new Worker(entry, { type: "module", name: LINK_WORKER });
    this.finished = this.#listen(handlers).finally(() => this.#worker.terminate());
  }

  /**
   * Asks it to stop: a hive that answers still gets what is on the disk, for two seconds at most;
   * the rest is for the next run.
   */
  stop(): void {
    this.#stopAsked = true;
    if (this.#listening) this.#send({ type: "stop" });
  }

  #begin(): void {
    this.#listening = true;
    this.#send({ type: "start", options: this.#options });
    if (this.#stopAsked) this.#send({ type: "stop" });
  }

  #send(command: LinkCommand): void {
    this.#worker.postMessage(command);
  }

  #listen(handlers: LinkHandlers): Promise<LinkCounters> {
    const { promise, resolve, reject } = Promise.withResolvers<LinkCounters>();
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new ImmuneError("INTERNAL", `The link ended: ${event.message}`));
    };
    this.#worker.onmessage = ({ data }: MessageEvent<LinkReport>) => {
      if (data.type === "listening") this.#begin();
      else if (data.type === "stopped") resolve(data.counters);
      else if (data.type === "failed") {
        reject(new ImmuneError(data.code as ErrorCode, data.message));
      } else if (data.type === "status") handlers.onStatus(data.status, data.counters);
      else if (data.type === "acknowledged") handlers.onAcknowledged(data.position);
      else handlers.onWarning(data.message);
    };
    return promise;
  }
}
