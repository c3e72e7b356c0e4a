import type { AuditTrail } from "../../common/audit/mod.ts";
import type { Clock } from "../../common/config/clock.ts";
import type { HerdWord } from "../../common/herd/word.ts";
import { RefusalTrail } from "../operators/recorded.ts";

/** A word of an agent, and what became of it. */
export interface HerdSaid {
  /** The agent, as its certificate says. */
  readonly by: string;
  readonly call: HerdWord["call"];
  /** The agent or antibody that it is about; for a proposal its type and value. */
  readonly about: string;
  /** Why it was refused; null = it was taken. */
  readonly refused: string | null;
}

/** Options of {@linkcode WordTrail}. */
export interface WordTrailOptions {
  readonly audit: AuditTrail;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly log: (line: string) => void;
}

/**
 * Puts agents' words into the log of decisions: each that the herd took, and of those that it
 * refused a bounded number, for whoever has an agent can have it speak all day.
 */
export class WordTrail {
  readonly #options: WordTrailOptions;
  readonly #refusals: RefusalTrail;

  /** @param options The log of decisions. */
  constructor(options: WordTrailOptions) {
    this.#options = options;
    this.#refusals = new RefusalTrail(options.audit, options.clock);
  }

  /**
   * Records a word. The herd has decided on it already: it stands there in any case.
   *
   * @param said Who said what.
   */
  async record({ by, call, about, refused }: HerdSaid): Promise<void> {
    const actor = { kind: "agent", id: by } as const;
    const fact = { actor, action: `herd.${call}`, object: about };
    if (refused !== null) {
      return await this.#refusals.record({ ...fact, detail: { why: refused } });
    }
    try {
      await this.#options.audit.append({ ...fact, decision: "done" });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.log(`Agent "${by}" said "${call}" to the herd, and it is not recorded: ${why}`);
    }
  }
}
