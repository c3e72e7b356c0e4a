import type { Entry } from "./policy.ts";
import { holdOf } from "./tiers.ts";
import type { Tier, TierTrial } from "./trial.ts";
import { more, type Weakness } from "./weakness.ts";

/** What a policy is held by, and could be. */
export interface Holding {
  /** Tiers in force. */
  readonly tiers: readonly Tier[];
  /** What was tried. */
  readonly trials: readonly TierTrial[];
  /** What would be, did all work that may. */
  readonly hoped: readonly TierTrial[];
  /** Why tiers that work are not in force; empty where they are. */
  readonly why: string;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

/**
 * What the tiers come to: entries that hold by none, and those that would hold by a better one, had
 * that not failed. What a tier that holds does not see is a limit of it, and no finding.
 *
 * @param entries Entries of the policy in force.
 * @param holding Tiers and trials.
 * @returns One for each of both, about the first such entry.
 */
export function tierWeaknesses(
  entries: readonly Entry[],
  { tiers, trials, hoped, why, nowMs }: Holding,
): readonly Weakness[] {
  const inForce = trials.map((trial): TierTrial =>
    tiers.includes(trial.tier) ? trial : { ...trial, state: "untried" }
  );
  const found = entries.filter(({ expiresMs = Infinity }) => expiresMs > nowMs).map((entry) => {
    const { tiers: by, limits } = holdOf(entry, inForce);
    const missing = holdOf(entry, hoped).tiers.filter((tier) => !by.includes(tier));
    return { entry, by, limits, missing };
  });
  const failures = (missing: readonly Tier[]): readonly string[] =>
    missing.length === 0
      ? []
      : [...missing.map((tier) => failure(tier, { trials, why })), "it is tried again"];
  const none = found.filter(({ by }) => by.length === 0).map(({ entry, limits, missing }) => ({
    entry,
    detail: `it does not hold: ${[...limits, ...failures(missing)].join("; ")}`,
  }));
  const less = found.filter(({ by, missing }) => by.length > 0 && missing.length > 0)
    .map(({ entry, by, missing }) => ({
      entry,
      detail: `it holds by ${by.join(" and ")} alone: ${failures(missing).join("; ")}`,
    }));
  return [none, less].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{
      object: `entry ${first.entry.name}`,
      detail: more(first.detail, others.length + 1),
    }]
  );
}

/** Why a tier is not in force: its trial failed, or it could not be loaded after it. */
function failure(
  tier: Tier,
  { trials, why }: { readonly trials: readonly TierTrial[]; readonly why: string },
): string {
  const row = trials.find((trial) => trial.tier === tier && trial.mayWork === true);
  return `${tier} failed: ${row?.reason ?? why}`;
}
