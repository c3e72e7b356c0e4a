import { claims, uncovered } from "../../common/journal/ledger.ts";
import { type Loss, LOSS_CAUSES } from "../../common/wire/mod.ts";

/** Causes that a gap in a journal's positions can have. */
const GAP_CAUSES = ["journal_evicted", "journal_unwritable", "journal_corrupt"] as const;

/** Positions of one cause. */
export interface Passed {
  readonly cause: number;
  readonly count: number;
}

/**
 * Why the positions of a gap will never come, each position once.
 *
 * An entry without a place (`first` 0, where an agent had more losses than it could place) accounts
 * for as many positions as it counts.
 *
 * @param gap First and last position of the gap; no gap when `last` is below `first`.
 * @param losses Loss ledger of the batch behind it.
 * @returns Positions by cause, or `undefined` when the ledger does not account for all.
 */
export function accountForGap(
  gap: { readonly first: number; readonly last: number },
  losses: readonly Loss[],
): readonly Passed[] | undefined {
  if (gap.last < gap.first) return [];
  const passed: Passed[] = [];
  let rest = [gap];
  for (const cause of GAP_CAUSES) {
    const before = total(rest);
    const claimed = claims(losses, cause);
    rest = rest.flatMap((span) => uncovered(span, claimed));
    const count = before - total(rest);
    if (count > 0) passed.push({ cause: LOSS_CAUSES[cause], count });
  }
  let left = total(rest);
  for (const cause of GAP_CAUSES.map((name) => LOSS_CAUSES[name])) {
    const unplaced = losses.filter((loss) => loss.cause === cause && loss.first === 0);
    const count = Math.min(left, unplaced.reduce((sum, loss) => sum + loss.count, 0));
    if (count > 0) passed.push({ cause, count });
    left -= count;
  }
  return left === 0 ? passed : undefined;
}

/**
 * Whether a loss is one of a journal's positions.
 *
 * @param loss An entry of a batch's ledger.
 */
export function isGapCause(loss: Pick<Loss, "cause">): boolean {
  return GAP_CAUSES.some((name) => LOSS_CAUSES[name] === loss.cause);
}

function total(spans: readonly { readonly first: number; readonly last: number }[]): number {
  return spans.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
