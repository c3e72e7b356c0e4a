import { type Loss, LOSS_CAUSES } from "../../common/wire/mod.ts";
import { SOURCES } from "../../common/record/mod.ts";
import type { Engine } from "../../wasm/engine/mod.ts";
import { LogInlet } from "../inlets/inlet.ts";
import { readLogsFile, writeLogsFile } from "../inlets/logs_file.ts";
import { madeOfLog } from "./log_intake.ts";
import type { Pipeline } from "./pipeline.ts";

/** How often the state is put down where nothing came, in milliseconds. */
const STATE_INTERVAL_MS = 5000;

/** What is read of logs. */
export interface LogOptions {
  /** Files to follow. */
  readonly files: readonly string[];
  /** Folders of journald. Default: none. */
  readonly journals?: readonly string[];
  /** Text logs that are not read where journald keeps one. Default: none. */
  readonly unlessJournal?: readonly string[];
}

/** What reading logs works with. */
export interface LogParts {
  readonly engine: Engine;
  readonly pipeline: Pick<Pipeline, "takeMade" | "tellLosses">;
  /** Where it is put down how far they were read. Default: nowhere. */
  readonly state: string | undefined;
  readonly userId: (name: string) => number | undefined;
  /** Unix time in nanoseconds = boot time + this, as it is now. */
  readonly wallOffsetNs: () => bigint;
  readonly bootTimeNs: () => bigint;
  readonly onWarning: (message: string) => void;
}

/** The logs of the host, read between two batches of the sensor. */
export class Logs implements Disposable {
  readonly #inlet: LogInlet;
  readonly #parts: LogParts;
  #savedAt = -Infinity;
  /** What was put down last, as text. */
  #saved = "";
  #failing = false;

  /**
   * Goes on where the last run stopped.
   *
   * @param options What is read.
   * @param parts Where it goes.
   */
  constructor(options: LogOptions, parts: LogParts) {
    const { state } = parts;
    const positions = state === undefined ? undefined : readLogsFile(state)?.positions;
    this.#parts = parts;
    this.#inlet = new LogInlet({ ...options, positions, nowMs: () => Date.now() });
  }

  /** Reads what came, for a few milliseconds at most. */
  step(): void {
    const events = this.#inlet.poll();
    // Also where no line follows: the log of a quiet host may never have another one.
    this.#parts.pipeline.tellLosses(this.#losses());
    if (events.length > 0) this.#take(events);
    const now = performance.now();
    if (events.length > 0 || now - this.#savedAt >= STATE_INTERVAL_MS) {
      this.#savedAt = now;
      this.save();
    }
  }

  /** Puts down how far the logs were read, where that is not what stands there already. */
  save(): void {
    const { state, onWarning } = this.#parts;
    if (state === undefined) return;
    const { positions, counts, states: logs } = this.#inlet;
    const now = JSON.stringify({ positions, counts, logs });
    if (now === this.#saved) return;
    try {
      writeLogsFile(state, { positions, counts, logs });
      this.#saved = now;
      this.#failing = false;
    } catch (error) {
      // Told once: the next run then reads lines again.
      if (!this.#failing) onWarning(`Cannot write "${state}": ${(error as Error).message}`);
      this.#failing = true;
    }
  }

  /** Lets go of the files. */
  [Symbol.dispose](): void {
    this.#inlet[Symbol.dispose]();
  }

  #take(events: ReturnType<LogInlet["poll"]>): void {
    const { engine, pipeline, userId, wallOffsetNs, bootTimeNs } = this.#parts;
    const { counts } = this.#inlet;
    const options = { engine, userId, wallOffsetNs: wallOffsetNs(), nowNs: bootTimeNs() };
    for (const event of events) {
      // One by one: the next one's program is looked up in the same memory.
      const kept = pipeline.takeMade([(sequence) => madeOfLog(event, { ...options, sequence })]);
      counts[kept > 0 ? event.told.kind : "passed"]++;
    }
  }

  #losses(): Loss[] {
    return this.#inlet.takeLosses().map(({ cause, count }) => ({
      cause: LOSS_CAUSES[cause],
      kind: 0,
      source: SOURCES.logs,
      certain: cause === "log_too_long",
      count,
      first: 0,
    }));
  }
}
