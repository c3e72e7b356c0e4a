/** A regular expression that cannot be used, and where. */
export class RegexError extends Error {
  override readonly name = "RegexError";
  /** Offset in the pattern, in UTF-16 units, from 0. */
  readonly at: number;
  /** The feature that a linear-time matcher cannot have; absent when the pattern is wrong. */
  readonly feature: string | undefined;

  /**
   * @param reason One line.
   * @param at Offset in the pattern.
   * @param feature Name of the feature that is not supported.
   */
  constructor(reason: string, at: number, feature?: string) {
    super(reason);
    this.at = at;
    this.feature = feature;
  }
}
