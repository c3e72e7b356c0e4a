import { readIfThere } from "../../common/config/durable_file.ts";
import type { Tamper } from "./tamper.ts";

const VERSION = 1;

/** What an earlier run said of itself. */
interface Run {
  /** 32 hexadecimal digits. */
  readonly bootId: string;
  readonly pid: number;
  /** Milliseconds since boot when it last said so. */
  readonly aliveMs: number;
  /** True when it was asked to end. */
  readonly ended: boolean;
}

/** What the run of now is. */
export interface RunOptions {
  readonly bootId: string;
  readonly pid: number;
  /** Milliseconds since boot, suspend included. */
  readonly bootMs: () => number;
}

/** Says on the disk that the agent is alive, so that the next run knows how this one ended. */
export class RunFile {
  readonly #path: string;
  readonly #options: RunOptions;

  /**
   * @param path Path of the file.
   * @param options The run of now.
   */
  constructor(path: string, options: RunOptions) {
    this.#path = path;
    this.#options = options;
  }

  /**
   * How the last run ended; to be asked before {@linkcode RunFile.alive}.
   *
   * @returns Tampering when it ended in this boot without having been asked to.
   */
  last(): readonly Tamper[] {
    let run: unknown;
    try {
      run = JSON.parse(readIfThere(this.#path) ?? "");
    } catch {
      return [];
    }
    const { bootId, bootMs } = this.#options;
    // After another boot it is the host that ended.
    if (!isRun(run) || run.ended || run.bootId !== bootId) return [];
    const seconds = Math.max(0, Math.round((bootMs() - run.aliveMs) / 1000));
    return [{
      what: "killed",
      object: `process ${run.pid}`,
      detail: `the agent ended without having been asked to; it last said that it lives ` +
        `${seconds} s ago, and what happened since is not recorded`,
    }];
  }

  /** Says that the agent lives. What cannot be written is not said. */
  alive(): void {
    this.#write(false);
  }

  /** Says that it was asked to end. */
  end(): void {
    this.#write(true);
  }

  #write(ended: boolean): void {
    const { bootId, pid, bootMs } = this.#options;
    const text = JSON.stringify({ version: VERSION, bootId, pid, aliveMs: bootMs(), ended });
    try {
      Deno.writeTextFileSync(`${this.#path}.new`, `${text}\n`, { mode: 0o600 });
      Deno.renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk: the next run may then say that this one was killed.
    }
  }
}

// By hand, not by a schema: the pipeline's Worker loads no library for it.
function isRun(found: unknown): found is Run {
  if (typeof found !== "object" || found === null) return false;
  const { version, bootId, pid, aliveMs, ended } = found as Record<string, unknown>;
  return version === VERSION && typeof bootId === "string" && Number.isSafeInteger(pid) &&
    typeof aliveMs === "number" && typeof ended === "boolean";
}
