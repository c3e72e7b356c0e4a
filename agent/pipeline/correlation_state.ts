import { replaceFile } from "../../common/config/durable_file.ts";
import type { StatePaths } from "../../common/config/state_paths.ts";
import { HostCorrelation } from "./correlation.ts";
import { SightingsFile } from "./sightings_file.ts";

/** How often windows are put down, in milliseconds: what a crash may take from them. */
export const CORRELATION_SAVE_MS = 60_000;

/** Correlation of a host, with its state in the state folder. */
export class CorrelationState implements Disposable {
  readonly correlation: HostCorrelation;
  readonly #path: string;
  readonly #sightings: SightingsFile;
  readonly #onWarning: (message: string) => void;
  #savedAt = performance.now();
  #failing = false;

  /**
   * Takes up the state of the last run.
   *
   * @param paths Where it is.
   * @param options `onWarning` is told what of it cannot be used, or written.
   * @throws {Deno.errors} when files in the state folder cannot be used.
   */
  constructor(
    paths: Pick<StatePaths, "correlation" | "sightings">,
    options: { readonly onWarning: (message: string) => void },
  ) {
    const { onWarning } = options;
    this.#path = paths.correlation;
    this.#onWarning = onWarning;
    this.#sightings = new SightingsFile(paths.sightings, { onWarning });
    const saved = readIfThere(this.#path);
    this.correlation = new HostCorrelation({ sightings: this.#sightings, saved, onWarning });
  }

  /** Puts windows down when it is time. */
  saveIfDue(): void {
    if (performance.now() - this.#savedAt >= CORRELATION_SAVE_MS) this.save();
  }

  /** Lets go of windows that are over, and puts the others down. */
  save(): void {
    this.#savedAt = performance.now();
    try {
      this.correlation.expire(Date.now());
      const bytes = this.correlation.save();
      if (bytes !== undefined) replaceFile(this.#path, bytes);
      this.#failing = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#failing) {
        this.#onWarning(`Cannot write "${this.#path}": ${why}; a restart would lose windows`);
      }
      this.#failing = true;
    }
  }

  /** Closes its files. */
  [Symbol.dispose](): void {
    this.#sightings[Symbol.dispose]();
  }
}

function readIfThere(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
