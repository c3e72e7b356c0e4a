import type { Entry } from "./policy.ts";
import { chooseTiers } from "./tiers.ts";
import type { Tier, TierTrial } from "./trial.ts";

/** A trial loads programs, and records wait meanwhile: between two is so many times what one took. */
const REST_SHARE = 20;

/** What the tiers of this host do; one that failed for what passes is tried again. */
export class Trials {
  readonly #try: () => readonly TierTrial[];
  readonly #nowMs: () => number;
  #rows: readonly TierTrial[] | undefined;
  #count = 0;
  #endedMs = -Infinity;
  #tookMs = 0;

  /**
   * @param tryTiers Tries them all.
   * @param nowMs A clock that only goes on, in milliseconds.
   */
  constructor(tryTiers: () => readonly TierTrial[], nowMs: () => number) {
    this.#try = tryTiers;
    this.#nowMs = nowMs;
  }

  /** What was found; tried when it is first asked for. */
  get rows(): readonly TierTrial[] {
    return this.#rows ??= this.#tried();
  }

  /** What would be, did all work that may. */
  get hoped(): readonly TierTrial[] {
    return this.rows.map((row) => row.mayWork === true ? { ...row, state: "works" } : row);
  }

  /** How often they were tried. */
  get count(): number {
    return this.#count;
  }

  /**
   * Tries again what may work by now, where the last time is long enough ago.
   *
   * @param restMs How long that is at least, in milliseconds.
   */
  againIfDue(restMs: number): void {
    const { rows } = this;
    const sinceMs = this.#nowMs() - this.#endedMs;
    if (!rows.some(({ mayWork }) => mayWork) || sinceMs < this.restMs(restMs)) return;
    const now = this.#tried();
    // What worked once does: that it failed now says that the host is busy.
    this.#rows = rows.map((row, i) => row.state === "works" ? row : now[i] ?? row);
  }

  /**
   * How long is between two trials.
   *
   * @param ms At least, in milliseconds.
   * @returns Milliseconds; more where a trial takes long here.
   */
  restMs(ms: number): number {
    return Math.max(ms, REST_SHARE * this.#tookMs);
  }

  /**
   * The tiers that a policy is given to.
   *
   * @param entries Its entries.
   * @returns Those that work, and those that were it if all worked that may; the strongest first.
   */
  choose(entries: readonly Entry[]): {
    readonly tiers: readonly Tier[];
    readonly hoped: readonly Tier[];
  } {
    return { tiers: chooseTiers(this.rows, entries), hoped: chooseTiers(this.hoped, entries) };
  }

  #tried(): readonly TierTrial[] {
    const startMs = this.#nowMs();
    try {
      return this.#try();
    } finally {
      this.#count++;
      this.#endedMs = this.#nowMs();
      this.#tookMs = this.#endedMs - startMs;
    }
  }
}
