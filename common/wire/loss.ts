/**
 * Why records are missing. The number is what records and batches carry; numbers are only appended.
 */
export const LOSS_CAUSES = {
  /** The kernel's ring was full. */
  ring_full: 1,
  /** The record would have been longer than a record may be. */
  oversized: 2,
  /** The kernel side could not read what the record needs. */
  unreadable: 3,
  /** The watch queue overflowed (fanotify): the count is at least 1. */
  watch_overflow: 4,
  /** A sequence jumped and no counter says why. */
  sequence_gap: 5,
  /** Bytes from the sensor that are no record. */
  malformed: 6,
  /** The journal reached its bound and dropped its oldest segment. */
  journal_evicted: 7,
  /** The journal could not be written (full or failing disk). */
  journal_unwritable: 8,
  /** A journal segment was damaged. */
  journal_corrupt: 9,
  /** The sensor or the agent was not running; the count is not known. */
  not_attached: 10,
  /** Alerts over the bound of one batch. */
  alerts_folded: 11,
  /** The kernel did not run a program of the sensor, as it ran on that CPU already. */
  program_missed: 12,
  /** A log was replaced or cut before it was read to its end: at least a line is missing. */
  log_gap: 20,
  /** More came into a log than could be read: at least a line is missing. */
  log_skipped: 21,
  /** A line of a log was longer than is read. */
  log_too_long: 22,
} as const;

/** Name of a loss cause. */
export type LossCause = keyof typeof LOSS_CAUSES;

/** Names of all causes. */
export const LOSS_CAUSE_NAMES = Object.keys(LOSS_CAUSES) as readonly LossCause[];

const NAME_BY_NUMBER: ReadonlyMap<number, LossCause> = new Map(
  LOSS_CAUSE_NAMES.map((name) => [LOSS_CAUSES[name], name]),
);

/**
 * The name of a loss cause.
 *
 * @param number As in a record or batch.
 * @returns The name, or `undefined` for a cause that this version does not know.
 */
export function lossCause(number: number): LossCause | undefined {
  return NAME_BY_NUMBER.get(number);
}
