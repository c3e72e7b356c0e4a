import { ImmuneError } from "../../common/config/errors.ts";
import type { LibraryOptions } from "../sensors/library.ts";
import type { Detached } from "../sensors/programs.ts";
import { type Enforcer, isPinned, releasePinned } from "./enforcer.ts";

/** Where an agent before this one may have pinned. */
export interface PinnedBeforeParts {
  /** The folder. */
  readonly pinPath: string;
  readonly library: LibraryOptions;
  readonly onWarning: (message: string) => void;
}

/**
 * What an agent before this one left pinned, while this one has nothing in force: it goes on
 * refusing, and takes no order but to end.
 */
export class PinnedBefore {
  readonly #parts: PinnedBeforeParts;

  /** @param parts Where it may be. */
  constructor(parts: PinnedBeforeParts) {
    this.#parts = parts;
  }

  /** What is to be said of it, in one line; empty where nothing is pinned. */
  get line(): string {
    const { pinPath, library } = this.#parts;
    if (!mayHavePinned()) return "";
    try {
      return isPinned(pinPath, library)
        ? `what an earlier agent left pinned in "${pinPath}" goes on refusing by its own policy, ` +
          'and nobody reads what: run "immune agent release" to end it'
        : "";
    } catch (error) {
      return messageOf(error);
    }
  }

  /**
   * Takes away what is pinned.
   *
   * @param enforcer What this agent has in force, whose programs end with it. Default: nothing.
   * @returns How many programs there were, and how many the kernel still has: one at least where it
   * cannot be taken away, which is warned of.
   */
  release(enforcer?: Pick<Enforcer, "remove">): Detached {
    const { pinPath, library, onWarning } = this.#parts;
    try {
      if (enforcer !== undefined) return enforcer.remove();
      return mayHavePinned() ? releasePinned(pinPath, library) : { programs: 0, left: 0 };
    } catch (error) {
      onWarning(`${messageOf(error)}; it goes on refusing`);
      return { programs: 1, left: 1 };
    }
  }

  /**
   * Refuses nothing, or goes on. It cannot be paused, so it is taken away.
   *
   * @param wanted Whether it is to refuse.
   * @returns Whether it does.
   */
  blocking(wanted: boolean): boolean {
    if (wanted || this.line === "") return this.line !== "";
    const { pinPath, onWarning } = this.#parts;
    const { programs, left } = this.release();
    if (left > 0) return true;
    onWarning(
      `Enforcement: this host is to refuse nothing, so ${programs} programs that an earlier agent ` +
        `left pinned in "${pinPath}" were taken away`,
    );
    return false;
  }
}

/** The folder of the BPF file system is root's, and closed to others. */
function mayHavePinned(): boolean {
  return Deno.uid() === 0;
}

function messageOf(error: unknown): string {
  if (!(error instanceof ImmuneError)) throw error;
  return error.message;
}
