import type { CorrelationRule } from "../correlation_rule.ts";

/** A hit of a rule or a correlation, as a correlator takes it. */
export interface CorrelationInput {
  readonly kind: "rule" | "correlation";
  /** Its place in `RuleSet.rules` or in `RuleSet.correlations`. */
  readonly index: number;
  /** When the event happened, in milliseconds; fractions count. */
  readonly timeMs: number;
  /**
   * True when it happened some time before `timeMs`, nobody knows when: it is in no window, and for
   * `first_seen` it counts as of `timeMs`. Default: false.
   */
  readonly isBefore?: boolean;
  /** Names the event; the same event has the same id. */
  readonly id: string;
  /** Value of a field of the event, by its Sigma name. */
  readonly field: (name: string) => string | undefined;
}

/** A hit that a match is made of. */
export interface MatchMember {
  /** Its place in `CorrelationRule.members`. */
  readonly member: number;
  /** Id of its event; for a correlation, of the event that completed it. */
  readonly id: string;
  readonly timeMs: number;
}

/** A correlation whose condition is met. */
export interface CorrelationMatch {
  readonly rule: CorrelationRule;
  /** Its place in `RuleSet.correlations`. */
  readonly index: number;
  /** What its hits have in common: a value for each entry of `groupBy`. */
  readonly group: readonly { readonly name: string; readonly value: string }[];
  /** The value that met the condition; with a condition over members: how many were hit. */
  readonly value: number;
  /** Hits in the window. */
  readonly hits: number;
  /** Of those, by time: the newest of each member, then the newest, `MATCH_MEMBERS_MAX` at most. */
  readonly members: readonly MatchMember[];
  /** Id of the event that led to it. */
  readonly id: string;
  /** Time of the first hit in the window, in milliseconds. */
  readonly firstMs: number;
  /** Time of the last hit in the window, in milliseconds. */
  readonly lastMs: number;
}
