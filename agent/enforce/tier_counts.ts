import { TIER_COUNTS, type TierTally } from "../../common/wire/tier_tally.ts";

/**
 * Counts of tiers together with those of programs that others took the place of.
 *
 * @param now Rows, a tier each.
 * @param before Rows of earlier programs.
 * @returns A row for each tier that is in either.
 */
export function addTiers(
  now: readonly TierTally[],
  before: readonly TierTally[],
): readonly TierTally[] {
  const all = new Map(before.map((row) => [row.tier, row]));
  for (const row of now) {
    const earlier = all.get(row.tier);
    all.set(row.tier, earlier === undefined ? row : combinedTier(row, { row: earlier, sign: 1 }));
  }
  return [...all.values()];
}

/**
 * The sum, or the difference, of two rows of a tier.
 *
 * @param row One.
 * @param other The other, and whether it is added or taken away.
 */
export function combinedTier(
  row: TierTally,
  { row: other, sign }: { readonly row: TierTally; readonly sign: 1 | -1 },
): TierTally {
  const counts = TIER_COUNTS.map((name) => [name, row[name] + sign * other[name]] as const);
  return { tier: row.tier, ...Object.fromEntries(counts) as Omit<TierTally, "tier"> };
}
