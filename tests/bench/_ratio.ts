/** A ratio with its 95 % confidence interval. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Half width of a normal distribution's middle 95 %, in standard deviations. */
const Z95 = 1.96;

/**
 * The median of ratios, with the interval that order statistics give it (the ranks between which
 * the median lies in 95 % of all samples; binomial with p = 1/2, in its normal approximation).
 *
 * @param ratios One a pair, at least one.
 * @returns Median and interval; with fewer than six pairs the interval is the whole range.
 */
export function ratioOf(ratios: readonly number[]): Ratio {
  const sorted = [...ratios].sort((a, b) => a - b);
  const count = sorted.length;
  const at = (rank: number): number => sorted[Math.min(Math.max(rank, 0), count - 1)] ?? NaN;
  const half = Z95 * Math.sqrt(count) / 2;
  return {
    median: (at(Math.floor((count - 1) / 2)) + at(Math.ceil((count - 1) / 2))) / 2,
    low: at(Math.floor(count / 2 - half)),
    high: at(Math.ceil(count / 2 + half) - 1),
  };
}

/**
 * The median; of an even count the upper of the two in the middle.
 *
 * @param values In any order; none give NaN.
 */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
