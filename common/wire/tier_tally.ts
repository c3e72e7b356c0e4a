import { VERDICT_TIERS } from "../record/values.ts";

/** Name of a tier of enforcement. */
export type TierName = keyof typeof VERDICT_TIERS;

/** What a tier can come to, in the order of the format; only appended. */
export const TIER_COUNTS = ["judged", "refused", "monitored", "capped", "failed"] as const;

/** What one tier of enforcement did; judged are all acts that an entry could be for. */
export interface TierTally extends Readonly<Record<(typeof TIER_COUNTS)[number], number>> {
  readonly tier: TierName;
}

/** Tiers that a record has room for: a host has fewer. */
const TIERS_MAX = 16;
const LINE = /^([a-z0-9_]{1,32})((?: \d{1,15}){5})$/;

/**
 * Counts of tiers as a health record has them: a line a tier.
 *
 * @param tiers Those in force, with what they did since the last record.
 */
export function encodeTiers(tiers: readonly TierTally[]): string {
  return tiers.slice(0, TIERS_MAX)
    .map((row) => [row.tier, ...TIER_COUNTS.map((name) => row[name])].join(" "))
    .join("\n");
}

/**
 * Reads them.
 *
 * @param text As a record has it.
 * @returns A row a tier that this version knows; `undefined` when a line is none.
 */
export function decodeTiers(text: string): readonly TierTally[] | undefined {
  if (text === "") return [];
  const lines = text.split("\n", TIERS_MAX + 1);
  if (lines.length > TIERS_MAX) return undefined;
  const rows: TierTally[] = [];
  for (const line of lines) {
    const [, tier = "", counts] = LINE.exec(line) ?? [];
    if (counts === undefined) return undefined;
    if (!isTier(tier)) continue;
    const numbers = counts.trim().split(" ").map(Number);
    const named = TIER_COUNTS.map((name, i) => [name, numbers[i] ?? 0] as const);
    rows.push({ tier, ...Object.fromEntries(named) as Omit<TierTally, "tier"> });
  }
  return rows;
}

function isTier(name: string): name is TierName {
  return Object.hasOwn(VERDICT_TIERS, name);
}
