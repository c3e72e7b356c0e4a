import { ImmuneError } from "../config/errors.ts";

/** A place in a rule file. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

/** Codes of what can keep a rule from loading. */
export type RuleProblemCode = "RULE_INVALID" | "RULE_UNSUPPORTED" | "RULE_SET_TOO_LARGE";

/** Where a problem is, and what feature it is about. */
export interface RuleProblemOptions extends ErrorOptions {
  readonly position: Position;
  /** Stable name of the feature that is not supported, such as `modifier re`. */
  readonly feature?: string;
}

/** A rule that cannot load. The message is the bare reason; callers add file and rule. */
export class RuleProblem extends ImmuneError {
  declare readonly code: RuleProblemCode;
  /** Where in its file. */
  readonly position: Position;
  /** The feature that is not supported, for `RULE_UNSUPPORTED`. */
  readonly feature: string | undefined;

  /**
   * @param code What kind of problem it is.
   * @param reason One line: what is wrong and what to do.
   * @param options Where.
   */
  constructor(code: RuleProblemCode, reason: string, options: RuleProblemOptions) {
    super(code, reason, options);
    this.position = options.position;
    this.feature = options.feature;
  }
}

/**
 * A problem of a rule that breaks the language.
 *
 * @param reason One line.
 * @param position Where.
 * @returns The error to throw.
 */
export function invalid(reason: string, position: Position): RuleProblem {
  return new RuleProblem("RULE_INVALID", reason, { position });
}
