import type { TierTally } from "../../common/wire/tier_tally.ts";

/** Something for which the policy does not hold in full. */
export interface Weakness {
  /** What it is about; the same for the same one. */
  readonly object: string;
  /** What does not hold, and what to do, for people. */
  readonly detail: string;
}

/** Why fanotify is not asked about places of a policy, in the order of `enum immune_left_what`. */
export const LEFT_OUT = ["directories", "namespaces", "mounts", "places", "served"] as const;

/** Places of a policy that fanotify is not asked about, all for one reason. */
export interface LeftOut {
  readonly what: typeof LEFT_OUT[number];
  readonly count: number;
  /** Of the first one; of directories their tree. */
  readonly path: string;
  /** Of the first one. */
  readonly reason: string;
}

/** Acts that nobody judged are no news while they go on, and for so long after, in milliseconds. */
export const FAILED_QUIET_MS = 3_600_000;

/**
 * What left-out places come to. Those that a program serves are on every desktop: a limit of the
 * tier (`specs/enforcement.md`), and no finding.
 *
 * @param left What the last look left out.
 */
export function leftWeaknesses(left: readonly LeftOut[]): readonly Weakness[] {
  return left.filter(({ what }) => what !== "served").map(({ what, count, path, reason }) => {
    const detail = `fanotify is not asked about it: ${reason}`;
    switch (what) {
      case "directories":
        return {
          object: `tree ${path}`,
          detail: `fanotify is not asked about ${count} of its directories or more: ${reason}`,
        };
      case "places":
        return { object: `place ${path}`, detail: count === 1 ? detail : more(detail, count) };
      default:
        return { object: what, detail: more(`"${path}": ${detail}`, count) };
    }
  });
}

/**
 * Says of how many things a detail is told by the first one.
 *
 * @param detail Of the first one.
 * @param count How many there are.
 */
export function more(detail: string, count: number): string {
  return count === 1 ? detail : `${detail}, and ${count - 1} more`;
}

/** Tells of tiers that let acts go on which nobody judged. */
export class FailedActs {
  readonly #tiers = new Map<string, { counted: number; grownMs: number }>();

  /**
   * Looks at what the tiers count.
   *
   * @param rows Counts since the agent began.
   * @param nowMs A clock that only goes on, in milliseconds.
   * @returns One a tier with such acts; each stays for {@linkcode FAILED_QUIET_MS}.
   */
  take(rows: readonly TierTally[], nowMs: number): readonly Weakness[] {
    for (const { tier, failed } of rows) {
      if (failed <= (this.#tiers.get(tier)?.counted ?? 0)) continue;
      this.#tiers.set(tier, { counted: failed, grownMs: nowMs });
    }
    return [...this.#tiers].filter(([, { grownMs }]) => nowMs - grownMs < FAILED_QUIET_MS)
      .map(([tier, { counted }]) => ({
        object: `tier ${tier}`,
        detail: `${counted} acts went on that it could not judge, or not in time`,
      }));
  }
}
