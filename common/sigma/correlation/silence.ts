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
 * that they are in has it. Correlations of the fleet work on alerts: they silence no rule, only
 * each other.
 *
 * @param rules `RuleSet.correlations`.
 * @param scope Where it is asked. Default: on a host.
 */
export function silentMembers(
  rules: readonly CorrelationRule[],
  scope: CorrelationRule["scope"] = "host",
): SilentMembers {
  const here = rules.filter((rule) => rule.scope === scope);
  const members = (generate: boolean, kind: "rule" | "correlation"): ReadonlySet<number> =>
    new Set(
      here.filter((rule) => rule.generate === generate)
        .flatMap((rule) => rule.members.filter((member) => member.kind === kind))
        .map(({ index }) => index),
    );
  return {
    rules: scope === "fleet" ? new Set() : members(false, "rule").difference(members(true, "rule")),
    correlations: members(false, "correlation").difference(members(true, "correlation")),
  };
}

/** A member that a correlation waits for in vain. */
export interface UnheardMember {
  readonly rule: CorrelationRule;
  /** Id or name of the member, as the correlation has it. */
  readonly reference: string;
}

/**
 * Members that never come to be heard: of a correlation of the fleet what raises no alerts on the
 * hosts, and of one on hosts what runs in the fleet.
 *
 * @param rules `RuleSet.correlations`.
 */
export function unheardMembers(rules: readonly CorrelationRule[]): readonly UnheardMember[] {
  const silent = silentMembers(rules);
  return rules.flatMap((rule) =>
    rule.members.filter(({ kind, index }) => {
      const inner = kind === "correlation" ? rules[index] : undefined;
      if (rule.scope === "host") return inner?.scope === "fleet";
      if (kind === "rule") return silent.rules.has(index);
      return inner?.scope === "host" && silent.correlations.has(index);
    }).map(({ reference }) => ({ rule, reference }))
  );
}
