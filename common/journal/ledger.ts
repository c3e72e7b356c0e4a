import { type Loss, LOSSES_PER_BATCH_MAX } from "../wire/batch.ts";
import { LOSS_CAUSES } from "../wire/loss.ts";
import type { Span } from "./segment.ts";

/** Most losses that wait for a batch; over it, losses of one cause, kind and source become one. */
export const LOSSES_PENDING_MAX = 4 * LOSSES_PER_BATCH_MAX;

/** Causes whose `first` is a journal position. */
type JournalCause = "journal_evicted" | "journal_unwritable" | "journal_corrupt";

const JOURNAL_CAUSES: ReadonlySet<number> = new Set([
  LOSS_CAUSES.journal_evicted,
  LOSS_CAUSES.journal_unwritable,
  LOSS_CAUSES.journal_corrupt,
]);

/**
 * A loss of journal positions.
 *
 * @param cause Why.
 * @param span Which.
 * @returns An entry for the ledger.
 */
export function positionLoss(cause: JournalCause, span: Span): Loss {
  return {
    cause: LOSS_CAUSES[cause],
    kind: 0,
    source: 0,
    certain: true,
    count: span.last - span.first + 1,
    first: span.first,
  };
}

/** Losses that wait for the next batch which can carry them. */
export class Ledger {
  /** Entries that had no room even then. */
  turnedAway = 0;
  #pending: Loss[] = [];

  /** How many entries wait. */
  get length(): number {
    return this.#pending.length;
  }

  /**
   * Adds losses. One that continues the last one of its cause is joined to it.
   *
   * @param losses In any order.
   */
  add(losses: Iterable<Loss>): void {
    for (const loss of losses) {
      if (!this.#join(loss)) this.#pending.push(loss);
    }
    if (this.#pending.length <= LOSSES_PENDING_MAX) return;
    this.#pending = folded(this.#pending);
    this.turnedAway += this.#pending.splice(LOSSES_PENDING_MAX).length;
  }

  /**
   * The losses that a batch carries; they wait on until `settle`.
   *
   * @param count Most entries.
   * @returns The oldest ones.
   */
  peek(count: number): readonly Loss[] {
    return this.#pending.slice(0, Math.min(count, LOSSES_PER_BATCH_MAX));
  }

  /**
   * Lets the oldest go: a batch that is written carries them.
   *
   * @param count How many.
   */
  settle(count: number): void {
    this.#pending.splice(0, count);
  }

  #join(loss: Loss): boolean {
    const at = this.#pending.findLastIndex((other) => sameKey(other, loss));
    const other = this.#pending[at];
    if (other === undefined) return false;
    const unplaced = loss.first === 0 && other.first === 0;
    if (!unplaced && other.first + other.count !== loss.first) return false;
    if (loss.first !== 0 && other.first === 0) return false;
    this.#pending[at] = { ...other, count: other.count + loss.count };
    return true;
  }
}

/**
 * The positions that a ledger accounts for.
 *
 * @param losses A batch's losses.
 * @param cause Only of this cause. Default: of all causes of the journal.
 * @returns Their spans.
 */
export function claims(losses: readonly Loss[], cause?: JournalCause): Span[] {
  const wanted = cause === undefined ? JOURNAL_CAUSES : new Set<number>([LOSS_CAUSES[cause]]);
  return losses
    .filter((loss) => wanted.has(loss.cause) && loss.first > 0 && loss.count > 0)
    .map((loss) => ({ first: loss.first, last: loss.first + loss.count - 1 }));
}

/**
 * What of a span no claim covers.
 *
 * @param span Positions.
 * @param claimed Spans in any order.
 * @returns The rest, in order.
 */
export function uncovered(span: Span, claimed: readonly Span[]): Span[] {
  const rest: Span[] = [];
  let first = span.first;
  for (const claim of claimed.toSorted((a, b) => a.first - b.first)) {
    if (claim.first > span.last) break;
    if (claim.first > first) rest.push({ first, last: claim.first - 1 });
    first = Math.max(first, claim.last + 1);
  }
  if (first <= span.last) rest.push({ first, last: span.last });
  return rest;
}

function sameKey(a: Loss, b: Loss): boolean {
  return a.cause === b.cause && a.kind === b.kind && a.source === b.source &&
    a.certain === b.certain;
}

/** One entry a cause, kind and source: the counts stay right, the places are given up. */
function folded(losses: readonly Loss[]): Loss[] {
  const byKey = new Map<string, Loss>();
  for (const loss of losses) {
    const key = `${loss.cause} ${loss.kind} ${loss.source} ${loss.certain}`;
    const other = byKey.get(key);
    byKey.set(
      key,
      other === undefined ? loss : {
        ...other,
        count: other.count + loss.count,
        first: 0,
      },
    );
  }
  return [...byKey.values()];
}
