import { z } from "zod";
import { readIfThere } from "../../common/config/durable_file.ts";
import type { Tamper } from "./tamper.ts";

const runSchema = z.object({
  version: z.literal(1),
  /** 32 hexadecimal digits. */
  bootId: z.string(),
  pid: z.number().int(),
  /** Milliseconds since boot when it last said so. */
  aliveMs: z.number(),
  /** True when it was asked to end. */
  ended: z.boolean(),
});

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
    let run: z.infer<typeof runSchema> | undefined;
    try {
      run = runSchema.safeParse(JSON.parse(readIfThere(this.#path) ?? "")).data;
    } catch {
      return [];
    }
    const { bootId, bootMs } = this.#options;
    // After another boot it is the host that ended.
    if (run === undefined || run.ended || run.bootId !== bootId) return [];
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
    const text = JSON.stringify({ version: 1, bootId, pid, aliveMs: bootMs(), ended });
    try {
      Deno.writeTextFileSync(`${this.#path}.new`, `${text}\n`, { mode: 0o600 });
      Deno.renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk: the next run may then say that this one was killed.
    }
  }
}
