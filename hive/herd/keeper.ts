import type { Clock } from "../../common/config/mod.ts";
import type { OwnThings } from "../../common/herd/protected.ts";
import { Rounds } from "../rounds.ts";
import type { HerdCall, HerdGives, HerdTakes } from "./herd.ts";
import type { AntibodyRow } from "./ledger.ts";

/** How often time does its work on antibodies, in milliseconds. */
export const HERD_TICK_MS = 60_000;

/** Options of {@linkcode HerdKeeper}. */
export interface HerdKeeperOptions {
  /** Whose herd it is. */
  readonly store: {
    herd<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<HerdGives<C>>;
  };
  readonly own: OwnThings;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly log: (line: string) => void;
  /** Told of antibodies whose stage changed by itself. */
  readonly onChanged?: (rows: readonly AntibodyRow[]) => void;
}

/** Lets time do its work on the herd: canary hosts to all, expiry, and the brake. */
export class HerdKeeper implements AsyncDisposable {
  readonly #options: HerdKeeperOptions;
  readonly #rounds: Rounds;

  private constructor(options: HerdKeeperOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#rounds = new Rounds({ work: () => this.#tick(), everyMs: HERD_TICK_MS, clock, log });
  }

  /**
   * Says what no antibody may hit, and starts.
   *
   * @param options Store, clock and log.
   * @throws {ImmuneError} what the store ends with.
   */
  static async start(options: HerdKeeperOptions): Promise<HerdKeeper> {
    await options.store.herd("own", options.own);
    const keeper = new HerdKeeper(options);
    keeper.#rounds.start();
    return keeper;
  }

  /** Does the work that is due now; a store that does not answer is told of and asked again. */
  tick(): Promise<void> {
    return this.#rounds.now();
  }

  /** Ends it, behind what it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #tick(): Promise<void> {
    const { store, log, onChanged } = this.#options;
    const changed = await store.herd("tick", undefined);
    for (const { antibody, stage, why } of changed) {
      const because = why === "" ? "" : `: ${why}`;
      log(`Antibody "${antibody.id}" (${antibody.type}) is now "${stage}"${because}`);
    }
    if (changed.length > 0) onChanged?.(changed);
  }
}
