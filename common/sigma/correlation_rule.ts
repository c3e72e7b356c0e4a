import type { About } from "./about.ts";
import type { ExampleEvent } from "./rule.ts";

/**
 * What a correlation looks for among the hits of its members (Sigma correlation rules). Ours is
 * `first_seen`: a group that no hit had within the time span before.
 */
export type CorrelationType =
  | "event_count"
  | "value_count"
  | "temporal"
  | "temporal_ordered"
  | "value_sum"
  | "value_avg"
  | "value_percentile"
  | "value_median"
  | "first_seen";

/** How a correlation's value compares with the wanted one. */
export type BoundOp = "gt" | "gte" | "lt" | "lte" | "eq" | "neq";

/** One bound on a correlation's value. */
export interface Bound {
  readonly op: BoundOp;
  readonly number: number;
}

/** A condition over members: true where they were hit within the time span. */
export type MemberExpression =
  | {
    readonly kind: "member";
    /** Its place in `CorrelationRule.members`. */
    readonly member: number;
  }
  | { readonly kind: "and" | "or"; readonly of: readonly MemberExpression[] }
  | { readonly kind: "at_least"; readonly count: number; readonly of: readonly MemberExpression[] }
  | { readonly kind: "not"; readonly of: MemberExpression };

/** When a correlation fires: all bounds hold on its value, or an expression over its members. */
export type CorrelationCondition =
  | { readonly kind: "bounds"; readonly bounds: readonly Bound[] }
  | { readonly kind: "expression"; readonly expression: MemberExpression };

/** A rule, or another correlation, whose hits are correlated. */
export interface CorrelationMember {
  /** Id or name, as the correlation has it. */
  readonly reference: string;
  readonly kind: "rule" | "correlation";
  /** Its place in `RuleSet.rules` or in `RuleSet.correlations`. */
  readonly index: number;
  /** Field of its events for each entry of `groupBy`, aliases resolved. */
  readonly groupFields: readonly string[];
  /** Field of its events for each entry of `valueNames`, aliases resolved. */
  readonly valueFields: readonly string[];
}

/** Sequences of events that a correlation brings along, each in the order of time. */
export interface SequenceExamples {
  readonly must: readonly (readonly ExampleEvent[])[];
  readonly mustNot: readonly (readonly ExampleEvent[])[];
}

/** A correlation rule, its references resolved. Plain data: it can be sent to a Worker. */
export interface CorrelationRule extends About {
  /** Its file. */
  readonly path: string;
  /** Line where its document starts, from 1. */
  readonly line: number;
  readonly type: CorrelationType;
  /** In the order of the rule, which counts for `temporal_ordered`. */
  readonly members: readonly CorrelationMember[];
  /** Names of what is one group together; empty: all hits are one group. */
  readonly groupBy: readonly string[];
  /** Length of the window, in milliseconds. */
  readonly timespanMs: number;
  /**
   * The value that bounds are on: number of hits (`event_count`), of distinct values
   * (`value_count`), of distinct members (`temporal`, `temporal_ordered`), or what the type says of
   * the field's numbers. `first_seen` has no bounds.
   */
  readonly condition: CorrelationCondition;
  /** Names of the fields whose values are looked at; empty where the type needs none. */
  readonly valueNames: readonly string[];
  /**
   * 0 to 100, for `value_percentile`: the value at this percentile is bounded. Without it the share
   * of the window's last value among all its values, in percent, is.
   */
  readonly percentile?: number;
  /** The members' own hits are alerts too. */
  readonly generate: boolean;
  /** Where it runs: on each host, or on the hive over all hosts (`immune: { scope: fleet }`). */
  readonly scope: "host" | "fleet";
  readonly sequences: SequenceExamples;
}
