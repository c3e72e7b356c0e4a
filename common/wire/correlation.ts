import type { CorrelationMatch } from "../sigma/correlation/hit.ts";
import type { AlertCorrelation } from "./alert.ts";

/** What correlations refer to, by place. */
export interface CorrelatedRules {
  readonly rules: readonly { readonly id: string }[];
  readonly correlations: readonly { readonly id: string }[];
}

/**
 * A match as its alert tells it.
 *
 * @param match The match.
 * @param ruleSet The rule set that it was found under.
 */
export function alertCorrelation(
  match: CorrelationMatch,
  ruleSet: CorrelatedRules,
): AlertCorrelation {
  const { rule, group, value, hits, firstMs, lastMs } = match;
  return {
    type: rule.type,
    group: Object.fromEntries(group.map(({ name, value }) => [name, value])),
    value,
    hits,
    first: timeText(firstMs),
    last: timeText(lastMs),
    members: match.members.map(({ member, id, timeMs }) => {
      const { kind, index, reference } = rule.members[member] ?? { reference: "" };
      const referred = index === undefined
        ? undefined
        : (kind === "rule" ? ruleSet.rules : ruleSet.correlations)[index];
      return { rule: referred?.id ?? reference, event: id, time: timeText(timeMs) };
    }),
  };
}

/**
 * What the id of a match's alert is made of beside its record: a record can complete a correlation
 * for more than one group.
 *
 * @param match The match.
 */
export function correlationKey({ rule, group }: CorrelationMatch): string {
  return JSON.stringify([rule.id, ...group.map(({ value }) => value)]);
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
