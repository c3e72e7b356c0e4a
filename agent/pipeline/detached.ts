import { type MissedRuns, TALLIES_MAX } from "../../common/wire/mod.ts";

/** How often each program of the sensor was found not attached. */
export class DetachedBook {
  readonly #all = new Map<string, number>();
  readonly #told = new Map<string, number>();

  /**
   * Counts one more of each.
   *
   * @param programs Names; those over {@linkcode TALLIES_MAX} are in the loss `not_attached` alone.
   */
  add(programs: readonly string[]): void {
    for (const program of programs) {
      if (!this.#all.has(program) && this.#all.size >= TALLIES_MAX) continue;
      this.#all.set(program, (this.#all.get(program) ?? 0) + 1);
    }
  }

  /** Since the agent began. */
  get all(): readonly MissedRuns[] {
    return [...this.#all].map(([program, count]) => ({ program, count }));
  }

  /** Since the last call. */
  take(): readonly MissedRuns[] {
    return this.all.flatMap(({ program, count }) => {
      const fresh = count - (this.#told.get(program) ?? 0);
      this.#told.set(program, count);
      return fresh > 0 ? [{ program, count: fresh }] : [];
    });
  }
}
