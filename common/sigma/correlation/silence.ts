import type { CorrelationRule } from "../correlation_rule.ts";

/** Rules and correlations that are members alone: their hits are no alerts. */
export interface SilentMembers {
  /** Places in `RuleSet.rules`. */
  readonly rules: ReadonlySet<number>;
  /** Places in `RuleSet.correlations`. */
  readonly correlations: ReadonlySet<number>;
}

/**
 * What raises no alerts of its own: members of correlations without `generate`, unless another one
 * that they are in has it. Correlations of the fleet silence nothing: they work on alerts.
 *
 * @param rules `RuleSet.correlations`.
 */
export function silentMembers(rules: readonly CorrelationRule[]): SilentMembers {
  const onHost = rules.filter(({ scope }) => scope === "host");
  const members = (generate: boolean, kind: "rule" | "correlation"): ReadonlySet<number> =>
    new Set(
      onHost.filter((rule) => rule.generate === generate)
        .flatMap((rule) => rule.members.filter((member) => member.kind === kind))
        .map(({ index }) => index),
    );
  return {
    rules: members(false, "rule").difference(members(true, "rule")),
    correlations: members(false, "correlation").difference(members(true, "correlation")),
  };
}
